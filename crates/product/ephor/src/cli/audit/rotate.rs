//! `ephor audit rotate-key`

use std::{fs, path::Path};

use anyhow::Context as _;
use ephor_kernel::{Clock as _, SystemClock};
use ephor_seal::{KEY_NAME, SealKey};
use ephor_store::{Store, audit};
use secrecy::ExposeSecret as _;

use crate::{
    cli::printed::Telling,
    config::Seal,
    exit::Exit,
    server::{key_file, load_key},
};

/// Makes a new key, has the old one hand over to it, and puts it in the old one's place. Stopped
/// half-way, it goes on with the same new key when it is run again.
pub(super) async fn rotate_key(
    store: &Store,
    seal: &Seal,
    data: &Path,
    json: bool,
) -> anyhow::Result<Exit> {
    let old = load_key(seal, data)?;
    let file = key_file(seal, data);
    let next = file.with_extension("next");
    let (new, _) = SealKey::load_or_create(&next)
        .with_context(|| format!("the new key can't be kept in {}", next.display()))?;
    audit::rotate(store, &old, &new, SystemClock.now()).await?;
    let mut told = Telling::new(json);
    if seal.key.expose_secret().is_empty() {
        let kept = file.with_extension(format!("{}.old", hex::encode(old.public().id(KEY_NAME))));
        old.save(&kept).with_context(|| format!("{} can't be written", kept.display()))?;
        new.save(&file).with_context(|| format!("{} can't be written", file.display()))?;
        fs::remove_file(&next).with_context(|| format!("{} can't be removed", next.display()))?;
        told.line(format_args!("The old key is kept in {}.", kept.display()))?;
        told.line("Restart every running server: until then it seals with the old key.")?;
        told.fact("old_key_file", kept.display().to_string());
    } else {
        told.line(format_args!("The new key is in {}.", next.display()))?;
        told.line("Set EPHOR_SEAL_KEY (seal.key) to its text, keep the old one, restart every server, then delete the file.")?;
        told.fact("new_key_file", next.display().to_string());
    }
    told.line(format_args!("Old public key: {}", old.public()))?;
    told.line(format_args!("New public key: {}", new.public()))?;
    told.line("Whoever trusts either trusts both: each has signed the hand-over.")?;
    told.fact("old_public_key", old.public().to_string());
    told.fact("new_public_key", new.public().to_string());
    told.end()?;
    Ok(Exit::Ok)
}
