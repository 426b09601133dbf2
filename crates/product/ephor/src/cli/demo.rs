//! `ephor demo`: a server with something to look at.

use std::{
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use ephor_store::platform::user_set;
use serde::{Deserialize, Serialize};

use super::{
    Settings, block_on,
    db::{Seed, plant},
};
use crate::{
    exit::Exit,
    server::{self, App},
    telemetry,
};

/// Start the server with a demo organization in its own data folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  ephor demo

The first start makes the organization and a log-in with a random password, and keeps both in the
data folder (the usual one with -demo at its end, or --data); later starts go on with them.")]
pub struct Args {
    /// The address to listen on, instead of server.bind
    #[arg(long, value_name = "ADDRESS:PORT")]
    bind: Option<String>,
}

/// The demo's log-in, kept in the data folder.
#[derive(Debug, Serialize, Deserialize)]
struct DemoLogIn {
    email: String,
    password: String,
}

impl Args {
    pub fn run(self, settings: &Settings) -> anyhow::Result<Exit> {
        let config = settings.load(&[("server.bind", self.bind)])?;
        let usual = settings.data_dir(&config);
        // The demo never mixes with what is real: without a folder of its own it takes a sibling.
        let data = if config.data.dir.is_empty() { beside(&usual) } else { usual };
        block_on(async {
            let _guard = telemetry::start(&config.log, &config.telemetry)?;
            let folder = data.clone();
            Box::pin(server::run(&config, &data, |serving| async move {
                let log_in = prepare(&serving.app, &folder).await?;
                let mut out = std::io::stdout().lock();
                writeln!(out, "\n  Ephor demo on http://{}\n", serving.address)?;
                writeln!(out, "  e-mail    {}\n  password  {}\n", log_in.email, log_in.password)?;
                writeln!(out, "  Demo data: UCI Adult with the predictions of a logistic model.")?;
                writeln!(
                    out,
                    "  Sign in, open the data set, press «Analyse for bias». Ctrl-C stops it.\n"
                )?;
                Ok(out.flush()?)
            }))
            .await?;
            Ok(Exit::Ok)
        })
    }
}

fn beside(usual: &Path) -> PathBuf {
    let mut name = usual.file_name().unwrap_or_default().to_owned();
    name.push("-demo");
    usual.with_file_name(name)
}

/// The log-in of the demo organization, which is made if it is not there. Its owner runs the demo's
/// installation too, so that all pages can be looked at.
async fn prepare(app: &App, data: &Path) -> anyhow::Result<DemoLogIn> {
    let file = data.join("demo-log-in.json");
    if let Ok(text) = std::fs::read_to_string(&file) {
        return serde_json::from_str(&text)
            .with_context(|| format!("{} can't be read", file.display()));
    }
    let seed = Seed::new("Demo organization", "demo@ephor.example");
    let owner = plant(&app.identity, &app.registry, &seed).await?;
    user_set(&app.store, owner, None, Some(true), "ephor demo").await?;
    let log_in = DemoLogIn { email: seed.email, password: seed.password };
    keep(&file, &log_in)?;
    Ok(log_in)
}

/// Written last, so that a demo that was only half made is not taken for whole.
fn keep(file: &Path, log_in: &DemoLogIn) -> anyhow::Result<()> {
    let mut open =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    Ok(open.write_all(serde_json::to_string_pretty(log_in)?.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_lies_beside_what_is_real() {
        assert_eq!(beside(Path::new("/var/lib/ephor")), Path::new("/var/lib/ephor-demo"));
    }
}
