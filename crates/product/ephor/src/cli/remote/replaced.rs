//! Keys that log-ins made and that another log-in replaced: nobody has them any more, so they are revoked.

use std::{io::Write as _, time::Duration};

use ephor_identity::ApiKeyToken;
use reqwest::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    client::{address, checked, http},
    credentials::Credentials,
};

/// For how long a server is waited for that one does not speak to any more.
const WAIT: Duration = Duration::from_secs(10);

/// Revokes what was kept before and is not kept now, each key by itself: the one may be of another person, or
/// another server's. Keys that somebody brought along are theirs. What could not be revoked is told, and no
/// reason to fail: the new log-in is good.
pub(super) async fn revoke(before: &Credentials, now: &Credentials) -> anyhow::Result<()> {
    let kept: Vec<&str> = keys(now).map(|(key, _)| key.expose_secret()).collect();
    let forgotten = keys(before)
        .filter(|(key, is_made)| *is_made && !kept.contains(&key.expose_secret()))
        .map(|(key, _)| key);
    let http = http()?;
    for key in forgotten {
        if let Err(error) = one(&http, &before.server, key).await {
            writeln!(
                std::io::stderr(),
                "Warning: a key of the log-in before may be still good ({error:#}); revoke it in the console of {}, under API keys.",
                before.server
            )?;
        }
    }
    Ok(())
}

/// All that are kept, and whether a log-in made them.
fn keys(kept: &Credentials) -> impl Iterator<Item = (&SecretString, bool)> {
    let others = kept.others.iter().map(|(_, key)| key);
    std::iter::once(&kept.api_key).chain(others).map(|key| (&key.text, key.is_made))
}

async fn one(http: &reqwest::Client, server: &str, key: &SecretString) -> anyhow::Result<()> {
    let Some(token) = ApiKeyToken::parse(key.expose_secret()) else {
        anyhow::bail!("it is no API key");
    };
    let place = address(server)?.join(&format!("/v1/api-keys/{}", token.id))?;
    let asked = http.delete(place).bearer_auth(key.expose_secret()).timeout(WAIT);
    let answer = asked.send().await?;
    // One that was revoked, or has run out, opens nothing.
    if answer.status() != StatusCode::UNAUTHORIZED {
        checked(answer).await?;
    }
    Ok(())
}
