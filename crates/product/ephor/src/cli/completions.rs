//! `ephor completions`

use std::collections::BTreeSet;

use clap::{Command, CommandFactory as _, builder::PossibleValuesParser};
use ephor_rest::Operation;
use http::Method;

use crate::{exit::Exit, server::contexts};

/// Print a shell's completion script.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  ephor completions bash > ~/.local/share/bash-completion/completions/ephor"
)]
pub struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

impl Args {
    pub fn run(self) -> Exit {
        let mut command = with_words(super::Cli::command());
        clap_complete::generate(self.shell, &mut command, "ephor", &mut std::io::stdout());
        Exit::Ok
    }
}

/// The commands, with the kinds and the steps that this very program's server has. They are proposed, and nothing else is
/// refused: a server of another version may have others.
fn with_words(command: Command) -> Command {
    let kinds: BTreeSet<&'static str> = contexts::resources().map(|spec| spec.path()).collect();
    let steps: BTreeSet<&'static str> =
        contexts::operations().filter_map(|operation| step(&operation)).collect();
    command.mut_subcommand("resource", |resource| {
        resource.mut_subcommands(|one| {
            one.mut_args(|arg| match arg.get_id().as_str() {
                "kind" => arg.value_parser(PossibleValuesParser::new(kinds.iter().copied())),
                "action" => arg.value_parser(PossibleValuesParser::new(steps.iter().copied())),
                _ => arg,
            })
        })
    })
}

/// The step of a row's life that an operation is: `roll_back` of `/v1/models/{id}/roll_back/{version}`.
fn step(operation: &Operation) -> Option<&'static str> {
    let is_file =
        operation.request.as_ref().is_some_and(|(_, schema)| schema["format"] == "binary");
    if operation.method != Method::POST || is_file {
        return None;
    }
    let (_, part) = operation.path.split_once("/{id}/")?;
    part.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_found_and_files_are_none() {
        let back = Operation::post("/v1/models/{id}/roll_back/{version}", "Roll back");
        assert_eq!(step(&back), Some("roll_back"));
        assert_eq!(step(&Operation::get("/v1/models/{id}/card", "Card")), None);
        let file = serde_json::json!({ "format": "binary" });
        let upload = Operation::post("/v1/model_versions/{id}/artifacts", "Upload");
        assert_eq!(step(&upload.request_as("application/octet-stream", file)), None);
    }
}
