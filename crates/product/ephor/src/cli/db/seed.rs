//! `ephor db seed`: the demo organization, in a database of your choice.

use std::{io::Write as _, path::Path};

use anyhow::Context as _;
use bytes::Bytes;
use ephor_identity::{Identity, Password, SignUp};
use ephor_kernel::{PermissionSet, Principal, RequestContext, RequestId, Scope, UserId};
use ephor_registry::{Registry, dataset::NewDataset};
use ephor_store::platform::organization_list;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::super::block_on;
use crate::{
    config::Config,
    exit::{Exit, UsageError},
    server::{self, Database},
};

/// UCI Adult with the predictions of a logistic model; data/demo/README.md has its attribution.
const ADULT: &[u8] = include_bytes!("../../../../../../data/demo/adult_predictions.csv");

/// Put the demo organization into the database.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor db seed
  ephor db seed --organization 'A second demo' --email second@example.org --json

It makes an organization, its owner with a random password that is printed once, and the demo's data
set. A database that holds an organization already is left alone, unless --organization names another
one to make.")]
pub struct Args {
    /// The organization's name; also into a database that is not empty
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// The owner's e-mail address
    #[arg(long, default_value = "demo@ephor.example")]
    email: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is planted, and for whom.
#[derive(Debug, Clone)]
pub struct Seed {
    pub organization: String,
    pub email: String,
    pub password: String,
}

impl Seed {
    /// With a random password.
    pub fn new(organization: impl Into<String>, email: impl Into<String>) -> Self {
        Self { organization: organization.into(), email: email.into(), password: password() }
    }
}

impl Args {
    pub fn run(self, config: &Config, data: &Path) -> anyhow::Result<Exit> {
        let json = self.json;
        let seed = block_on(async {
            let database = Database::open_or_join(config, data).await?;
            let store = database.connect().await?;
            let planted = async {
                let there = organization_list(&store, None).await?.len();
                if there > 0 && self.organization.is_none() {
                    return Err(UsageError(format!(
                        "the database holds {there} organizations already; --organization NAME adds one of that name"
                    ))
                    .into());
                }
                let name = self.organization.unwrap_or_else(|| "Demo organization".to_owned());
                let seed = Seed::new(name, self.email);
                let (identity, registry) = server::services(config, data, &store)?;
                plant(&identity, &registry, &seed).await?;
                anyhow::Ok(seed)
            }
            .await;
            store.close().await;
            database.stop().await?;
            planted
        })?;
        let mut out = std::io::stdout().lock();
        if json {
            let told = json!({
                "organization": seed.organization, "email": seed.email, "password": seed.password,
            });
            writeln!(out, "{told}")?;
        } else {
            writeln!(out, "{}", seed.organization)?;
            writeln!(out, "  e-mail    {}\n  password  {}", seed.email, seed.password)?;
        }
        Ok(Exit::Ok)
    }
}

/// Makes the organization, its owner and the demo's data set; answers the owner.
pub async fn plant(
    identity: &Identity,
    registry: &Registry,
    seed: &Seed,
) -> anyhow::Result<UserId> {
    let request = RequestContext::new(None, Some("ephor demo"), RequestId::new());
    let input = SignUp {
        email: seed.email.clone(),
        password: Password::new(seed.password.clone()),
        full_name: "Demo Owner".to_owned(),
        organization_name: seed.organization.clone(),
        kind: None,
        consent: true,
    };
    let (signed_up, _) = identity
        .open_organization(&request, &input)
        .await
        .context("the demo organization could not be made; is its e-mail address taken?")?;
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
    registry.dataset_upload(&scope, new, body, &|_| {}, &CancellationToken::new()).await?;
    Ok(signed_up.user_id)
}

/// Random, and easy to type.
#[allow(clippy::disallowed_methods, reason = "62 bits by chance are enough for a demo's log-in")]
fn password() -> String {
    let hex = uuid::Uuid::new_v4().simple().to_string();
    format!("{}-{}-{}-{}", &hex[..4], &hex[4..8], &hex[8..12], &hex[16..20])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_differ_and_are_long_enough() {
        assert_ne!(password(), password());
        assert_eq!(password().len(), 19);
    }
}
