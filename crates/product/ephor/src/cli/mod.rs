//! The command line: one file per command.

mod admin;
mod analyze;
mod ask;
mod audit;
mod cluster;
mod completions;
mod config;
mod db;
mod demo;
mod doctor;
mod drift;
mod explain;
mod file;
mod interrupt;
mod man;
mod metrics;
mod mitigate;
mod places;
pub mod printed;
mod remote;
mod secrets;
mod serve;
mod waiting;
mod whole;
mod worker;

use std::{
    ffi::{OsStr, OsString},
    io::Write as _,
    path::PathBuf,
};

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::{
    config::Config,
    exit::{Exit, own_problem},
};

/// Govern your organisation's AI: find it, analyse it, guard it, and prove it.
#[derive(Debug, Parser)]
#[command(name = "ephor", version, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 a check found something, 2 wrong usage or input, 3 it could not be done.\n\
                  With --json, errors are application/problem+json on standard error."
)]
pub struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

/// Where the configuration comes from.
#[derive(Debug, clap::Args)]
struct Settings {
    /// A configuration file; `ephor config` prints one with every default
    #[arg(long, global = true, env = "EPHOR_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder, instead of data.dir
    #[arg(long, global = true, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one of it, for as long as the process lives"
)]
enum Command {
    /// Analyse a file for bias, with no server
    Analyze(analyze::Args),
    /// Compare two files: columns, performance and fairness, with no server
    Drift(drift::Args),
    /// Compute mitigations of bias, and apply them to files
    #[command(subcommand)]
    Mitigate(mitigate::Command),
    /// Explain a model's predictions of a file's rows by exact SHAP values, with no server
    Explain(explain::Args),
    /// Look up metrics, disparities and tests of drift: formulas, ranges, sources
    Metrics(metrics::Args),
    /// Start the parts of a cluster, on which files are analysed by many machines
    #[command(subcommand)]
    Cluster(cluster::Command),
    /// Start the server: console, API and background work
    Serve(serve::Args),
    /// Start the server with a demo organization in its own data folder
    Demo(demo::Args),
    /// Work on background jobs only, beside servers on the same database
    Worker(worker::Args),
    /// Prepare, back up, restore and look at the database
    #[command(subcommand)]
    Db(db::Command),
    /// Verify and export the audit trail
    #[command(subcommand)]
    Audit(audit::Command),
    /// Keep a server and an API key for the commands that speak to it
    Login(remote::Login),
    /// Look at the organizations that you belong to
    #[command(subcommand)]
    Org(remote::Org),
    /// List, read, create, change and delete what a server keeps
    #[command(subcommand)]
    Resource(remote::Resource),
    /// Run the installation: organizations and people, whoever they belong to
    #[command(subcommand)]
    Admin(admin::Command),
    /// Look at the key that encrypts secrets, and replace it
    #[command(subcommand)]
    Secrets(secrets::Command),
    /// Check that everything Ephor needs is there and safe
    Doctor(doctor::Args),
    /// Print the default configuration, or the one in force
    Config(config::Args),
    /// Print a shell's completion script
    Completions(completions::Args),
    /// Write the manual pages
    Man(man::Args),
}

/// How a command prints its result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

impl Format {
    /// The one that was chosen, by either name.
    const fn or_json(self, json: bool) -> Self {
        if json { Self::Json } else { self }
    }
}

impl Settings {
    /// The configuration in force. Flags of a command come as `(path, value)`.
    fn load(&self, flags: &[(&str, Option<String>)]) -> anyhow::Result<Config> {
        let mut set: Vec<_> =
            flags.iter().filter_map(|(path, value)| Some((*path, value.clone()?))).collect();
        if let Some(data) = &self.data {
            set.push(("data.dir", data.display().to_string()));
        }
        Ok(Config::load(self.config.as_deref(), variables(), &set)?)
    }

    /// The data folder in force.
    #[allow(
        clippy::unused_self,
        reason = "the folder is a setting, though --data has reached the configuration by now"
    )]
    fn data_dir(&self, config: &Config) -> PathBuf {
        config.data_dir(&variable, nix::unistd::geteuid().is_root())
    }
}

impl Cli {
    /// What was typed, and whether errors are to be told as JSON: where the command has `--json`, and it was given.
    ///
    /// # Errors
    /// How the command ends that only asked for help, or that was typed wrongly; that is told by then.
    pub fn read() -> Result<(Self, bool), Exit> {
        let typed: Vec<OsString> = std::env::args_os().collect();
        let read = Self::command().try_get_matches_from(&typed).and_then(|matches| {
            let as_json = asks_for_json(&matches);
            Ok((Self::from_arg_matches(&matches)?, as_json))
        });
        read.map_err(|error| {
            if error.use_stderr() && typed.iter().any(|word| word == OsStr::new("--json")) {
                let told = error.render().to_string();
                let problem = own_problem(Exit::Usage, told.trim_end()).to_string();
                let _ = writeln!(std::io::stderr(), "{}", printed::safe(&problem));
            } else {
                // Nothing is left to do when even that stream is closed.
                let _ = error.print();
            }
            if error.use_stderr() { Exit::Usage } else { Exit::Ok }
        })
    }

    /// Runs the command.
    pub fn run(self) -> anyhow::Result<Exit> {
        let Self { settings, command } = self;
        match command {
            Command::Analyze(args) => args.run(&settings),
            Command::Drift(args) => args.run(),
            Command::Explain(args) => args.run(),
            Command::Mitigate(command) => command.run(),
            Command::Metrics(args) => args.run(),
            Command::Cluster(command) => command.run(&settings),
            Command::Serve(args) => args.run(&settings),
            Command::Demo(args) => args.run(&settings),
            Command::Worker(args) => args.run(&settings),
            Command::Db(command) => command.run(&settings),
            Command::Admin(command) => command.run(&settings),
            Command::Secrets(command) => command.run(&settings),
            Command::Audit(command) => command.run(&settings),
            Command::Login(args) => args.run(),
            Command::Org(command) => command.run(),
            Command::Resource(command) => command.run(),
            Command::Doctor(args) => args.run(&settings),
            Command::Config(args) => args.run(&settings),
            Command::Completions(args) => Ok(args.run()),
            Command::Man(args) => args.run(),
        }
    }
}

/// Was `--json` given, to whichever command has it?
fn asks_for_json(matches: &ArgMatches) -> bool {
    let here = matches.try_get_one::<bool>("json").ok().flatten().copied().unwrap_or_default();
    here || matches.subcommand().is_some_and(|(_, matches)| asks_for_json(matches))
}

/// The environment: read here, and handed down.
#[allow(clippy::disallowed_methods, reason = "this is where the configuration begins")]
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars()
}

/// One variable of the environment.
#[allow(clippy::disallowed_methods, reason = "this is where the configuration begins")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The runtime of the commands that wait for something.
fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future)
}
