//! Files of this process's own, and their way to the object store and back.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    sync::Arc,
};

use ephor_seal::Hash;
use futures::TryStreamExt as _;
use object_store::{ObjectStore, ObjectStoreExt as _, path::Path};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// How much is read at once.
const PIECE: usize = 1 << 20;

/// Writes a file to the object store. It is there as a whole, or not at all.
pub(crate) async fn upload(
    objects: &Arc<dyn ObjectStore>,
    object: &str,
    file: File,
) -> io::Result<()> {
    let mut file = tokio::fs::File::from_std(file);
    let mut out = object_store::buffered::BufWriter::new(Arc::clone(objects), Path::from(object));
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece).await?;
        if read == 0 {
            break;
        }
        out.write_all(&piece[..read]).await?;
    }
    out.shutdown().await
}

/// What was written to a folder is on the disk by now, and not in memory alone: a bucket sees to that itself. What is
/// dropped afterwards has no other copy.
pub(crate) async fn settle() -> Result<(), tokio::task::JoinError> {
    tokio::task::spawn_blocking(nix::unistd::sync).await
}

/// Fetches an object into a file that nobody else can open; with the SHA-256 of its bytes.
pub(crate) async fn fetch(
    objects: &Arc<dyn ObjectStore>,
    object: &str,
) -> io::Result<(File, Hash)> {
    let found = objects.get(&Path::from(object)).await?;
    let file = tempfile::tempfile()?;
    let mut out = tokio::fs::File::from_std(file.try_clone()?);
    let mut hasher = Sha256::new();
    let mut stream = found.into_stream();
    while let Some(piece) = stream.try_next().await? {
        hasher.update(&piece);
        out.write_all(&piece).await?;
    }
    out.flush().await?;
    Ok((file, hasher.finalize().into()))
}

/// The SHA-256 of a file and its length; then it stands at its beginning again. Blocks.
pub(crate) fn hash(file: &mut File) -> io::Result<(Hash, u64)> {
    file.rewind()?;
    let (mut hasher, mut length) = (Sha256::new(), 0);
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            file.rewind()?;
            return Ok((hasher.finalize().into(), length));
        }
        hasher.update(&piece[..read]);
        length += read as u64;
    }
}
