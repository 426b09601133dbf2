//! Ephor: an open-source, self-hosted governance platform for AI.

mod builtins;
mod cli;
mod config;
mod exit;
mod governance_loop;
mod server;
mod telemetry;

use std::{io::Write as _, process::ExitCode};

fn main() -> ExitCode {
    let (cli, as_json) = match cli::Cli::read() {
        Ok(read) => read,
        Err(exit) => return exit.into(),
    };
    match cli.run() {
        Ok(exit) => exit.into(),
        Err(error) if broken_pipe(&error) => exit::Exit::Ok.into(),
        Err(error) if as_json => {
            let problem = exit::problem(&error).to_string();
            let _ = writeln!(std::io::stderr(), "{}", cli::printed::safe(&problem));
            exit::Exit::of(&error).into()
        }
        Err(error) => {
            let told = format!("ephor: {error:#}");
            // What it tells may come from a file or a server. Nothing is left to do when even the error stream is closed.
            for line in told.lines() {
                let _ = writeln!(std::io::stderr(), "{}", cli::printed::safe(line));
            }
            exit::Exit::of(&error).into()
        }
    }
}

/// Whoever reads our output has read enough, as `head` does.
fn broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}
