//! `ephor org use`: from one's organization to another, with a key of its own.

use std::io::{IsTerminal as _, Write as _};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{
    Remote,
    client::{Client, address, http},
    credentials::{self, Credentials, Key},
    login::Args as Login,
    org::{known, me, meant},
    output,
};
use crate::exit::{Exit, UsageError};

/// Go to another of your organizations.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor org use north
  pass ephor | ephor org use north --password-stdin")]
pub struct Use {
    #[command(flatten)]
    remote: Remote,
    /// Which, by its slug, id or name
    #[arg(value_name = "SLUG")]
    organization: String,
    /// Read the password from standard input, instead of asking
    #[arg(long)]
    password_stdin: bool,
    /// A code of your authenticator, or a recovery code; asked for where it is needed
    #[arg(long)]
    code: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Use {
    pub(super) async fn go(self) -> anyhow::Result<()> {
        let file = credentials::file()?;
        let kept = Credentials::load(&file)?;
        let Some(kept) = kept.filter(|_| self.remote.api_key.is_none()) else {
            return Err(UsageError(
                "a key is for one organization, and only kept ones can be changed: run `ephor login`, without --api-key and EPHOR_API_KEY"
                    .to_owned(),
            )
            .into());
        };
        let client = Client::new(&self.remote)?;
        let me = me(&client).await?;
        let rows = known(&client, &me).await?;
        let there = meant(&self.organization, &rows)?;
        if there["access"] == "reads" {
            return Err(UsageError(format!(
                "you read `{0}` and do not belong to it: `ephor resource list TYPE --organizations {0}` shows what it has",
                text(&there["slug"])
            ))
            .into());
        }
        if there["current"] != true {
            let key = self.key(&kept, &me, there).await?;
            left(kept, &me, text(&there["id"]), key).save(&file)?;
        }
        if self.json {
            return output::row(
                &json!({ "organization_id": there["id"], "slug": there["slug"] }),
                true,
            );
        }
        writeln!(
            std::io::stdout(),
            "You are in {}.",
            super::super::printed::safe(text(&there["name"]))
        )?;
        Ok(())
    }

    /// The key that is kept for it, if it still opens it; else a new one, for the password.
    async fn key(&self, kept: &Credentials, me: &Value, there: &Value) -> anyhow::Result<Key> {
        let id = text(&there["id"]);
        if let Some((_, key)) = kept.others.iter().find(|(organization, _)| organization == id) {
            let remote = Remote {
                server: Some(kept.server.clone()),
                api_key: Some(key.text.expose_secret().to_owned()),
            };
            match self::me(&Client::new(&remote)?).await {
                Ok(it) if it["organization_id"] == there["id"] => return Ok(key.clone()),
                // Revoked or run out: a new one is made.
                Ok(_) => {}
                Err(refused) if Exit::of(&refused) == Exit::Usage => {}
                Err(error) => return Err(error),
            }
        }
        if !self.password_stdin && !std::io::stdin().is_terminal() {
            return Err(UsageError(
                "no key for it is kept, and there is nobody to ask: give --password-stdin"
                    .to_owned(),
            )
            .into());
        }
        let email = text(&me["user"]["email"]);
        let code = self.code.clone();
        let login = Login::again(&kept.server, email, id, self.password_stdin, code);
        login.made_key(&http()?, &address(&kept.server)?).await.map(Key::made)
    }
}

/// What is kept once one has gone to `there`: the key to where one was stays, for going back.
fn left(kept: Credentials, me: &Value, there: &str, key: Key) -> Credentials {
    let here = text(&me["organization_id"]).to_owned();
    let Credentials { server, api_key, mut others } = kept;
    others.retain(|(organization, _)| *organization != here && organization != there);
    others.push((here, api_key));
    Credentials { server, api_key: key, others }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_can_go_back() {
        let key = |text: &str| Key::made(text.to_owned().into());
        let told = |kept: &Credentials| {
            let others =
                kept.others.iter().map(|(id, key)| format!("{id}={}", key.text.expose_secret()));
            let here = kept.api_key.text.expose_secret();
            format!("{here} {}", others.collect::<Vec<_>>().join(","))
        };
        let at_a = Credentials { server: "s".into(), api_key: key("ka"), others: Vec::new() };
        let at_b = left(at_a, &json!({"organization_id": "a"}), "b", key("kb"));
        assert_eq!(told(&at_b), "kb a=ka");
        let back = left(at_b, &json!({"organization_id": "b"}), "a", key("ka"));
        assert_eq!(told(&back), "ka b=kb");
    }
}
