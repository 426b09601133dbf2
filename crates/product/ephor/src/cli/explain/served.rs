//! `--endpoint`: a model that is served somewhere.

use std::time::Duration;

use clap::ValueEnum;
use ephor_explain::{
    Endpoint, Scorer as _,
    endpoint::{Protocol, Settings},
};
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};

use crate::{
    cli::{file::pair, variable},
    exit::UsageError,
};

/// A header's file may be so large.
const MOST_BYTES: u64 = 64 << 10;

/// Which endpoint is asked, and how. Secrets come from the environment or from files: other users of a machine see arguments.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Served {
    /// Ask a model that is served here, instead of one in a file
    #[arg(long, value_name = "URL", help_heading = "A served model")]
    pub endpoint: Option<String>,
    /// What is said to it, and what it answers [default: inputs]
    #[arg(
        long,
        value_enum,
        value_name = "PROTOCOL",
        requires = "endpoint",
        help_heading = "A served model"
    )]
    pub endpoint_protocol: Option<ProtocolArg>,
    /// A header, and the variable of the environment that holds its value: `Authorization=MODEL_TOKEN`
    #[arg(
        long,
        value_parser = pair,
        value_name = "HEADER=VARIABLE",
        requires = "endpoint",
        help_heading = "A served model"
    )]
    pub endpoint_header_env: Vec<(String, String)>,
    /// A header, and the file that holds its value: X-Api-Key=/run/secrets/key
    #[arg(
        long,
        value_parser = pair,
        value_name = "HEADER=FILE",
        requires = "endpoint",
        help_heading = "A served model"
    )]
    pub endpoint_header_file: Vec<(String, String)>,
    /// Rows in a request [default: 1000]
    #[arg(long, value_name = "NUMBER", requires = "endpoint", help_heading = "A served model")]
    pub endpoint_batch: Option<usize>,
    /// How long a request may take [default: 60]
    #[arg(long, value_name = "SECONDS", requires = "endpoint", help_heading = "A served model")]
    pub endpoint_timeout: Option<u64>,
    /// How many numbers it has to answer for each row: one, or one for each class; whatever it answers for the first by default
    #[arg(long, value_name = "NUMBER", requires = "endpoint", help_heading = "A served model")]
    pub outputs: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ProtocolArg {
    /// {"features": […], "inputs": [[…]]}, answered by {"predictions": […]}
    Inputs,
    /// The Open Inference Protocol, version 2, as `KServe` has it
    Kserve,
    /// `MLflow`'s /invocations
    Mlflow,
}

impl Served {
    /// Its address as others may see it: behind the path there may be a key.
    pub(super) fn shown(&self) -> Option<String> {
        self.endpoint.as_deref()?.split(['?', '#']).next().map(str::to_owned)
    }

    /// How it is asked; all faults of what was given at once.
    pub(super) fn settings(&self) -> anyhow::Result<Option<Settings>> {
        let Some(address) = &self.endpoint else { return Ok(None) };
        let mut faults = Vec::new();
        let url = match Url::parse(address) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => {
                if !url.username().is_empty() || url.password().is_some() {
                    faults.push(
                        "--endpoint: its address holds a log-in, which others can see; give it by --endpoint-header-env Authorization=VARIABLE"
                            .to_owned(),
                    );
                }
                Some(url)
            }
            _ => {
                faults.push(
                    "--endpoint: it is no address such as https://models.example.org/credit"
                        .to_owned(),
                );
                None
            }
        };
        let mut headers = HeaderMap::new();
        for (name, variable_name) in &self.endpoint_header_env {
            let given = variable(variable_name)
                .ok_or_else(|| format!("there is no variable {variable_name} in the environment"));
            add(&mut headers, name, given).unwrap_or_else(|fault| {
                faults.push(format!("--endpoint-header-env {name}: {fault}"));
            });
        }
        for (name, file) in &self.endpoint_header_file {
            add(&mut headers, name, content(file)).unwrap_or_else(|fault| {
                faults.push(format!("--endpoint-header-file {name}: {fault}"));
            });
        }
        if self.endpoint_batch == Some(0) {
            faults.push("--endpoint-batch: at least 1".to_owned());
        }
        if !self.endpoint_timeout.is_none_or(|seconds| (1..=3_600).contains(&seconds)) {
            faults.push("--endpoint-timeout: between 1 and 3600 seconds".to_owned());
        }
        let Some(url) = url.filter(|_| faults.is_empty()) else {
            return Err(UsageError(faults.join("\n")).into());
        };
        let protocol = match self.endpoint_protocol {
            None | Some(ProtocolArg::Inputs) => Protocol::Inputs,
            Some(ProtocolArg::Kserve) => Protocol::Kserve,
            Some(ProtocolArg::Mlflow) => Protocol::Mlflow,
        };
        let usual = Settings::new(url, protocol);
        let timeout = self.endpoint_timeout.map_or(usual.timeout, Duration::from_secs);
        let batch = self.endpoint_batch.unwrap_or(usual.batch);
        Ok(Some(Settings { headers, timeout, batch, ..usual }))
    }

    /// Asks for the predictions of a row.
    pub(super) async fn open(
        &self,
        settings: Settings,
        features: Vec<String>,
        row: &[f64],
    ) -> anyhow::Result<Endpoint> {
        let endpoint = Endpoint::open(client()?, settings, features, row).await?;
        match self.outputs {
            Some(outputs) if outputs != endpoint.outputs() => Err(UsageError(format!(
                "--outputs {outputs}: the endpoint gives {} numbers for a row",
                endpoint.outputs()
            ))
            .into()),
            _ => Ok(endpoint),
        }
    }
}

/// Adds a header whose value is never shown.
fn add(headers: &mut HeaderMap, name: &str, value: Result<String, String>) -> Result<(), String> {
    let name: HeaderName = name.parse().map_err(|_| "it is no name of a header".to_owned())?;
    let mut value = HeaderValue::from_str(value?.trim_end())
        .map_err(|_| "its value holds what no header can".to_owned())?;
    value.set_sensitive(true);
    if headers.insert(name, value).is_some() {
        return Err("it is given twice".to_owned());
    }
    Ok(())
}

fn content(file: &str) -> Result<String, String> {
    let size = std::fs::metadata(file).map_err(|error| error.to_string())?.len();
    if size > MOST_BYTES {
        return Err(format!("{file} has {size} bytes; at most {MOST_BYTES} are read"));
    }
    std::fs::read_to_string(file).map_err(|error| error.to_string())
}

/// A client that goes nowhere but where its user sends it: what is sent may be secret.
#[allow(
    clippy::disallowed_methods,
    reason = "a command may go where its user may, private addresses too"
)]
fn client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .redirect(Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .user_agent(concat!("ephor/", env!("CARGO_PKG_VERSION")))
        .build()?)
}
