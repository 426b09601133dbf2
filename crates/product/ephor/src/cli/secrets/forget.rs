//! `ephor secrets forget-keys`

use ephor_identity::{Identity, KeyId, SealedCount};
use serde_json::json;

use super::{
    super::{ask::agreed, printed::Telling},
    Place,
};
use crate::{
    exit::{Exit, UsageError},
    server::secrets_key::{self, SecretsKeys},
};

/// Drops old keys, once nothing is encrypted with them. Each is kept beside, for backups from before.
pub(super) async fn forget(
    mut place: Place,
    identity: &Identity,
    yes: bool,
    json: bool,
) -> anyhow::Result<Exit> {
    if place.given {
        return Err(UsageError(
            "the keys are given as EPHOR_SECRETS_KEY (secrets.key): take what begins with old: out of it, once `ephor secrets status` counts no values for it".into(),
        )
        .into());
    }
    let mut told = Telling::new(json);
    if place.keys.old.is_empty() {
        told.line("There is no old key.")?;
        told.fact("forgotten", Vec::<String>::new());
        told.end()?;
        return Ok(Exit::Ok);
    }
    // A server that had not heard of the new key may have encrypted something with the old one.
    let lost = identity.secrets_reseal().await?.lost;
    let counts = identity.sealed_counts().await?;
    let held = |one: &&SealedCount| one.key.is_some_and(|id| place.keys.word(id) == Some("old"));
    let left: u64 = counts.iter().filter(held).map(|one| one.number).sum();
    if left > lost {
        told.line(format_args!(
            "{left} values are still encrypted with an old key; run `ephor secrets rotate-key`."
        ))?;
        told.fact("forgotten", Vec::<String>::new());
        told.fact("left", left);
        told.end()?;
        return Ok(Exit::Finding);
    }
    if left > 0 {
        told.line(format_args!(
            "{left} values name an old key, which does not decrypt them: they are lost."
        ))?;
    }
    let ids: Vec<String> = place.keys.old.iter().map(|key| KeyId::of(key).to_string()).collect();
    if !agreed(&format!("Forget {}?", ids.join(", ")), yes)? {
        return Ok(Exit::Finding);
    }
    let mut files = Vec::new();
    for (key, id) in place.keys.old.iter().zip(&ids) {
        let kept = place.file.with_extension(format!("{id}.old"));
        secrets_key::save(&kept, &SecretsKeys::only(*key))?;
        let kept = kept.display().to_string();
        told.line(format_args!("{kept}: keep it as long as backups from before; then delete it."))?;
        files.push(kept);
    }
    identity.secrets_record("secrets_key_forget", json!({ "keys": ids })).await?;
    place.save(SecretsKeys { old: Vec::new(), ..place.keys.clone() })?;
    told.fact("forgotten", ids);
    told.fact("files", files);
    told.fact("lost", left);
    told.end()?;
    Ok(Exit::Ok)
}
