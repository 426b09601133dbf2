//! `ephor demo`: a server with something to look at.

use std::{
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use bytes::Bytes;
use ephor_identity::{Password, SignUp};
use ephor_kernel::{PermissionSet, Principal, RequestContext, RequestId, Scope};
use ephor_registry::dataset::NewDataset;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{Settings, block_on};
use crate::{
    exit::Exit,
    server::{self, App},
    telemetry,
};

/// UCI Adult with the predictions of a logistic model; data/demo/README.md has its attribution.
const ADULT: &[u8] = include_bytes!("../../../../../data/demo/adult_predictions.csv");

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

/// The log-in of the demo organization, which is made if it is not there.
async fn prepare(app: &App, data: &Path) -> anyhow::Result<DemoLogIn> {
    let file = data.join("demo-log-in.json");
    if let Ok(text) = std::fs::read_to_string(&file) {
        return serde_json::from_str(&text)
            .with_context(|| format!("{} can't be read", file.display()));
    }
    let log_in = DemoLogIn { email: "demo@ephor.example".to_owned(), password: password() };
    let request = RequestContext::new(None, Some("ephor demo"), RequestId::new());
    let input = SignUp {
        email: log_in.email.clone(),
        password: Password::new(log_in.password.clone()),
        full_name: "Demo Owner".to_owned(),
        organization_name: "Demo organization".to_owned(),
        kind: None,
        consent: true,
    };
    let (signed_up, _) = app
        .identity
        .open_organization(&request, &input)
        .await
        .context("the demo organization could not be made; start with an empty data folder")?;
    let scope = Scope::new(
        Principal::User(signed_up.user_id),
        signed_up.organization_id,
        PermissionSet::all(),
        request,
    );
    let new = NewDataset {
        name: "UCI Adult, test split".to_owned(),
        description: "Demo data. Does a person earn more than 50 000 dollars a year? The 16 281 people of \
            the test split of UCI Adult (Becker and Kohavi, 1996), with the predictions and scores of a \
            logistic model: y_true is the label, y_pred the prediction, score its probability."
            .to_owned(),
        source_name: "adult_predictions.csv".to_owned(),
        format: None,
        metadata: json!({
            "demo": true,
            "attribution": "UCI Machine Learning Repository, «Adult» (Becker and Kohavi, 1996), CC BY 4.0",
        }),
    };
    let body = futures::stream::iter([Ok(Bytes::from_static(ADULT))]);
    app.registry.dataset_upload(&scope, new, body, &|_| {}, &CancellationToken::new()).await?;
    keep(&file, &log_in)?;
    Ok(log_in)
}

/// Written last, so that a demo that was only half made is not taken for whole.
fn keep(file: &Path, log_in: &DemoLogIn) -> anyhow::Result<()> {
    let mut open =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    Ok(open.write_all(serde_json::to_string_pretty(log_in)?.as_bytes())?)
}

/// Random, and easy to type.
#[allow(clippy::disallowed_methods, reason = "122 bits by chance are just what is wanted here")]
fn password() -> String {
    let hex = uuid::Uuid::new_v4().simple().to_string();
    format!("{}-{}-{}-{}", &hex[..4], &hex[4..8], &hex[8..12], &hex[16..20])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_lies_beside_what_is_real() {
        assert_eq!(beside(Path::new("/var/lib/ephor")), Path::new("/var/lib/ephor-demo"));
    }

    #[test]
    fn passwords_differ_and_are_long_enough() {
        assert_ne!(password(), password());
        assert_eq!(password().len(), 19);
    }
}
