//! `ephor secrets rotate-key`

use std::io::Write as _;

use ephor_identity::{Identity, KeyId, Resealed, random_key};
use serde_json::json;

use super::Place;
use crate::{
    exit::Exit,
    server::secrets_key::{self, SecretsKeys},
};

/// Makes the key that will encrypt, and has it known.
pub(super) async fn prepare(mut place: Place, identity: &Identity) -> anyhow::Result<Exit> {
    if place.given {
        return tell_how(&place);
    }
    let mut out = std::io::stdout();
    if place.keys.next.is_none() {
        let next = random_key();
        let details = json!({ "next": KeyId::of(&next).to_string() });
        identity.secrets_record("secrets_key_prepare", details).await?;
        place.save(SecretsKeys { next: Some(next), ..place.keys.clone() })?;
        writeln!(out, "A new key is made; nothing is encrypted with it yet.")?;
    } else {
        writeln!(out, "A new key is there already; nothing is encrypted with it yet.")?;
    }
    writeln!(out, "Copy {} to every machine of the installation, then run:", place.file.display())?;
    writeln!(out, "  ephor secrets rotate-key")?;
    writeln!(out, "and copy the file once more.")?;
    Ok(Exit::Ok)
}

/// Puts the next key in the place of the one that encrypts, and encrypts anew what that one did. If an
/// earlier run was broken off, it goes on with the key that that one made.
pub(super) async fn rotate(mut place: Place, identity: &Identity) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout();
    // What an earlier run left undone. What no key decrypts holds nothing up.
    let rest = if place.keys.old.is_empty() {
        Resealed::default()
    } else {
        identity.secrets_reseal().await?
    };
    let begun = rest.done > 0;
    if place.given {
        if place.keys.old.is_empty() {
            return tell_how(&place);
        }
    } else if begun && place.keys.next.is_none() {
        writeln!(out, "An earlier run was broken off; this one goes on with its key.")?;
    } else {
        let before = place.keys.clone();
        let seals = before.next.unwrap_or_else(random_key);
        let details =
            json!({ "from": place.sealing().to_string(), "to": KeyId::of(&seals).to_string() });
        identity.secrets_record("secrets_key_make", details).await?;
        let old = std::iter::once(before.seals).chain(before.old).collect();
        place.save(SecretsKeys { seals, next: None, old })?;
    }
    let Resealed { done, lost } = identity.secrets_reseal().await?;
    let done = rest.done + done;
    let key = place.sealing();
    let details = json!({ "key": key.to_string(), "done": done, "lost": lost });
    identity.secrets_record("secrets_key_rotate", details).await?;
    writeln!(out, "Values encrypted anew: {done}")?;
    writeln!(out, "Key that encrypts: {key}")?;
    for (id, word) in place.keys.ids() {
        if word == "old" {
            writeln!(out, "Key that still decrypts: {id}")?;
        }
    }
    if !place.given {
        writeln!(
            out,
            "Back up {}. `ephor secrets forget-keys` drops old keys; let a quarter of an hour pass, for log-ins under way.",
            place.file.display()
        )?;
    }
    if lost == 0 {
        return Ok(Exit::Ok);
    }
    writeln!(out, "Values that none of these keys decrypts, left as they are: {lost}")?;
    Ok(Exit::Finding)
}

/// Keys that are given as a setting, only who gives them can change.
fn tell_how(place: &Place) -> anyhow::Result<Exit> {
    let next = place.file.with_extension("next");
    // One that is left over from an earlier change is no new key.
    if next.try_exists()? {
        let left = KeyId::of(&secrets_key::load(&next)?.seals);
        if matches!(place.keys.word(left), Some("encrypts" | "old")) {
            std::fs::remove_file(&next)?;
        }
    }
    secrets_key::load(&next)?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "The key is given as EPHOR_SECRETS_KEY (secrets.key), so nothing is changed yet."
    )?;
    writeln!(out, "A new key is in {}. In each step, all servers and workers:", next.display())?;
    writeln!(out, "  1. EPHOR_SECRETS_KEY='OLD next:NEW', restart")?;
    writeln!(
        out,
        "  2. EPHOR_SECRETS_KEY='NEW old:OLD', restart; then once: ephor secrets rotate-key"
    )?;
    writeln!(
        out,
        "  3. EPHOR_SECRETS_KEY='NEW', restart, once `ephor secrets status` counts none for OLD"
    )?;
    writeln!(out, "Then delete the file.")?;
    Ok(Exit::Ok)
}
