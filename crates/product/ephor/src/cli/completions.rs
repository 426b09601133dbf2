//! `ephor completions`

use clap::CommandFactory as _;

use crate::exit::Exit;

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
        let mut command = super::Cli::command();
        clap_complete::generate(self.shell, &mut command, "ephor", &mut std::io::stdout());
        Exit::Ok
    }
}
