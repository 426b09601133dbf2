//! `ephor secrets rotate-key`

use ephor_identity::{Identity, KeyId, Resealed, random_key};
use serde_json::json;

use super::Place;
use crate::{
    cli::printed::Telling,
    exit::Exit,
    server::secrets_key::{self, SecretsKeys},
};

/// Makes the key that will encrypt, and has it known.
pub(super) async fn prepare(
    mut place: Place,
    identity: &Identity,
    mut told: Telling,
) -> anyhow::Result<Exit> {
    if place.given {
        return tell_how(&place, told);
    }
    if place.keys.next.is_none() {
        let next = random_key();
        let details = json!({ "next": KeyId::of(&next).to_string() });
        identity.secrets_record("secrets_key_prepare", details).await?;
        place.save(SecretsKeys { next: Some(next), ..place.keys.clone() })?;
        told.line("A new key is made; nothing is encrypted with it yet.")?;
    } else {
        told.line("A new key is there already; nothing is encrypted with it yet.")?;
    }
    let file = place.file.display();
    told.line(format_args!("Copy {file} to every machine of the installation, then run:"))?;
    told.line("  ephor secrets rotate-key")?;
    told.line("and copy the file once more.")?;
    told.fact("file", file.to_string());
    told.fact("next", place.keys.next.as_ref().map(|key| KeyId::of(key).to_string()));
    told.end()?;
    Ok(Exit::Ok)
}

/// Puts the next key in the place of the one that encrypts, and encrypts anew what that one did. If an
/// earlier run was broken off, it goes on with the key that that one made.
pub(super) async fn rotate(
    mut place: Place,
    identity: &Identity,
    mut told: Telling,
) -> anyhow::Result<Exit> {
    // What an earlier run left undone. What no key decrypts holds nothing up.
    let rest = if place.keys.old.is_empty() {
        Resealed::default()
    } else {
        identity.secrets_reseal().await?
    };
    let begun = rest.done > 0;
    if place.given {
        if place.keys.old.is_empty() {
            return tell_how(&place, told);
        }
    } else if begun && place.keys.next.is_none() {
        told.line("An earlier run was broken off; this one goes on with its key.")?;
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
    told.line(format_args!("Values encrypted anew: {done}"))?;
    told.line(format_args!("Key that encrypts: {key}"))?;
    let mut old = Vec::new();
    for (id, word) in place.keys.ids() {
        if word == "old" {
            told.line(format_args!("Key that still decrypts: {id}"))?;
            old.push(id.to_string());
        }
    }
    if !place.given {
        told.line(format_args!(
            "Back up {}. `ephor secrets forget-keys` drops old keys; let a quarter of an hour pass, for log-ins under way.",
            place.file.display()
        ))?;
    }
    if lost > 0 {
        told.line(format_args!(
            "Values that none of these keys decrypts, left as they are: {lost}"
        ))?;
    }
    told.fact("key", key.to_string());
    told.fact("old", old);
    told.fact("done", done);
    told.fact("lost", lost);
    told.end()?;
    Ok(if lost == 0 { Exit::Ok } else { Exit::Finding })
}

/// Keys that are given as a setting, only who gives them can change.
fn tell_how(place: &Place, mut told: Telling) -> anyhow::Result<Exit> {
    let next = place.file.with_extension("next");
    // One that is left over from an earlier change is no new key.
    if next.try_exists()? {
        let left = KeyId::of(&secrets_key::load(&next)?.seals);
        if matches!(place.keys.word(left), Some("encrypts" | "old")) {
            std::fs::remove_file(&next)?;
        }
    }
    secrets_key::load(&next)?;
    told.line("The key is given as EPHOR_SECRETS_KEY (secrets.key), so nothing is changed yet.")?;
    told.line(format_args!(
        "A new key is in {}. In each step, all servers and workers:",
        next.display()
    ))?;
    told.line("  1. EPHOR_SECRETS_KEY='OLD next:NEW', restart")?;
    told.line(
        "  2. EPHOR_SECRETS_KEY='NEW old:OLD', restart; then once: ephor secrets rotate-key",
    )?;
    told.line(
        "  3. EPHOR_SECRETS_KEY='NEW', restart, once `ephor secrets status` counts none for OLD",
    )?;
    told.line("Then delete the file.")?;
    told.fact("new_key_file", next.display().to_string());
    told.end()?;
    Ok(Exit::Ok)
}
