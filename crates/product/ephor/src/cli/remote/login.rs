//! `ephor login`

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::{
    super::{block_on, printed::safe},
    client::{address, checked, http},
    credentials::{self, Credentials, Key},
    replaced,
};
use crate::exit::{Exit, UsageError};

/// Keep a server and an API key for the commands that speak to it.
///
/// With e-mail and password, an API key is made that may do what you may, and only the key is kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor login https://ephor.example.org                      asks for e-mail address and password
  ephor login https://ephor.example.org --organization acme  a key for one of your organizations
  pass ephor-key | ephor login 127.0.0.1:8080 --api-key-stdin

The key is kept in ~/.config/ephor/credentials.json (EPHOR_CREDENTIALS names another file), readable
by you alone. Logging in again replaces all keys there, and revokes those that a log-in or `ephor org use`
made; a key that you gave by --api-key-stdin goes on to work, and so do all when the file is removed: revoke
them in the console, under API keys.")]
pub struct Args {
    /// The server
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:8080")]
    server: String,
    /// Read an API key from standard input, instead of asking who you are
    #[arg(long)]
    api_key_stdin: bool,
    /// Your e-mail address; asked for when it is left out
    #[arg(long, conflicts_with = "api_key_stdin")]
    email: Option<String>,
    /// Read the password from standard input, instead of asking
    #[arg(long, conflicts_with = "api_key_stdin", requires = "email")]
    password_stdin: bool,
    /// A code of your authenticator, or a recovery code; asked for where it is needed
    #[arg(long, conflicts_with = "api_key_stdin")]
    code: Option<String>,
    /// Which of your organizations, by its slug or id; else the one that you were in last
    #[arg(long, conflicts_with = "api_key_stdin", value_name = "SLUG")]
    organization: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub fn run(self) -> anyhow::Result<Exit> {
        block_on(self.log_in())
    }

    async fn log_in(self) -> anyhow::Result<Exit> {
        let base = address(&self.server)?;
        if is_overheard(&base) {
            writeln!(
                std::io::stderr(),
                "Warning: {base} is not encrypted: whoever is on the way reads the password and the key. Use https."
            )?;
        }
        let http = http()?;
        let api_key = if self.api_key_stdin {
            Key::brought(line_of_stdin("API key")?)
        } else {
            Key::made(self.made_key(&http, &base).await?)
        };
        let me = http.get(base.join("/v1/me")?).bearer_auth(api_key.text.expose_secret());
        let me: Value = checked(me.send().await?).await?.json().await?;
        let server = base.as_str().trim_end_matches('/').to_owned();
        let kept = Credentials { server, api_key, others: Vec::new() };
        let file = credentials::file()?;
        // What is damaged is made anew.
        let before = Credentials::load(&file).ok().flatten();
        kept.save(&file)?;
        if let Some(before) = before {
            replaced::revoke(&before, &kept).await?;
        }
        let here = organization(&me, |organization| organization["id"] == me["organization_id"]);
        if self.json {
            let told = json!({
                "server": kept.server, "email": me["user"]["email"],
                "organization_id": me["organization_id"], "credentials": file.display().to_string(),
            });
            return super::output::row(&told, true).map(|()| Exit::Ok);
        }
        writeln!(
            std::io::stdout(),
            "Logged in to {} as {}, in {}. The key is in {}.",
            kept.server,
            safe(me["user"]["email"].as_str().unwrap_or_default()),
            safe(
                here.and_then(|organization| organization["name"].as_str())
                    .unwrap_or("your organization")
            ),
            file.display(),
        )?;
        Ok(Exit::Ok)
    }

    /// Sends the code that the account asks for beside the password.
    async fn second_step(
        &self,
        http: &reqwest::Client,
        base: &Url,
        half: &Value,
    ) -> anyhow::Result<()> {
        let code = match &self.code {
            Some(code) => code.clone(),
            None if std::io::stdin().is_terminal() => {
                asked("Code of your authenticator, or a recovery code: ")?
            }
            None => {
                return Err(UsageError(
                    "this account asks for a second factor: give its code with --code".into(),
                )
                .into());
            }
        };
        let body = json!({ "token": half["token"], "code": code });
        checked(http.post(base.join("/v1/auth/log-in/code")?).json(&body).send().await?).await?;
        Ok(())
    }

    /// The log-in of somebody whose address is known, into one of their organizations by its id.
    pub(super) fn again(
        server: &str,
        email: &str,
        organization: &str,
        password_stdin: bool,
        code: Option<String>,
    ) -> Self {
        Self {
            server: server.to_owned(),
            api_key_stdin: false,
            email: Some(email.to_owned()),
            password_stdin,
            code,
            organization: Some(organization.to_owned()),
            json: false,
        }
    }

    /// Logs in, and makes a key that may do what the person may.
    pub(super) async fn made_key(
        &self,
        http: &reqwest::Client,
        base: &Url,
    ) -> anyhow::Result<SecretString> {
        let email = match &self.email {
            Some(email) => email.clone(),
            None => asked("E-mail address: ")?,
        };
        let password = if self.password_stdin {
            line_of_stdin("password")?
        } else {
            rpassword::prompt_password("Password: ")?.into()
        };
        let credentials = json!({ "email": email, "password": password.expose_secret() });
        let step = http.post(base.join("/v1/auth/log-in")?).json(&credentials).send().await?;
        let step = checked(step).await?;
        if step.status() == StatusCode::OK {
            self.second_step(http, base, &step.json().await?).await?;
        }
        let mut me = me(http, base).await?;
        if let Some(wanted) = &self.organization {
            let found = organization(&me, |it| it["slug"] == **wanted || it["id"] == **wanted);
            let Some(found) = found else {
                let slugs: Vec<&str> = me["organizations"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|it| it["slug"].as_str())
                    .collect();
                return Err(UsageError(format!(
                    "you do not belong to `{wanted}`; your organizations are: {}",
                    slugs.join(", ")
                ))
                .into());
            };
            let there = json!({ "organization_id": found["id"] });
            checked(http.post(base.join("/v1/session/organization")?).json(&there).send().await?)
                .await?;
            me = self::me(http, base).await?;
        }
        let new = json!({ "name": "ephor command line", "permissions": me["permissions"] });
        let made = checked(http.post(base.join("/v1/api-keys")?).json(&new).send().await?).await;
        // The session was for this alone.
        let ended = http.post(base.join("/v1/auth/log-out")?).send().await;
        let made: Value = made?.json().await?;
        checked(ended?).await?;
        let key = made["key"].as_str().ok_or_else(|| anyhow::anyhow!("the server gave no key"))?;
        Ok(key.to_owned().into())
    }
}

/// Does what is sent there leave this machine unencrypted?
fn is_overheard(base: &Url) -> bool {
    let here = matches!(base.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    base.scheme() == "http" && !here
}

async fn me(http: &reqwest::Client, base: &Url) -> anyhow::Result<Value> {
    Ok(checked(http.get(base.join("/v1/me")?).send().await?).await?.json().await?)
}

fn organization(me: &Value, is: impl Fn(&Value) -> bool) -> Option<&Value> {
    me["organizations"].as_array()?.iter().find(|organization| is(organization))
}

fn asked(question: &str) -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        return Err(UsageError(
            "there is nobody to ask: use --api-key-stdin, or --email with --password-stdin".into(),
        )
        .into());
    }
    write!(std::io::stderr(), "{question}")?;
    std::io::stderr().flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn line_of_stdin(what: &str) -> anyhow::Result<SecretString> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err(UsageError(format!("standard input holds no {what}")).into());
    }
    Ok(line.to_owned().into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear_without_a_warning() {
        for (server, overheard) in [
            ("http://127.0.0.1:8080", false),
            ("http://[::1]:8080", false),
            ("localhost:8080", false),
            ("https://ephor.example.org", false),
            ("ephor.example.org", true),
            ("http://10.0.0.5", true),
        ] {
            assert_eq!(is_overheard(&address(server).unwrap()), overheard, "{server}");
        }
    }
}
