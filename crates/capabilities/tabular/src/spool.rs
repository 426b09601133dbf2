//! What comes as a stream goes to a temporary file as it comes, a buffer at a time.

use std::{
    io::{self, BufWriter, Read, Write},
    path::Path,
};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt;

use crate::{Limits, OpenOptions, TabularError};

const BUFFER: usize = 1 << 20;

/// A new temporary file, which goes when its path is dropped.
pub(crate) fn file(folder: Option<&Path>) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("ephor-");
    match folder {
        Some(folder) => builder.tempfile_in(folder),
        None => builder.tempfile(),
    }
}

pub(crate) fn check_bytes(bytes: u64, limits: &Limits) -> Result<(), TabularError> {
    match limits.bytes {
        Some(limit) if bytes > limit => Err(TabularError::too_large(
            "the file's bytes",
            limit,
            "Give a smaller file, or raise the limit",
        )),
        _ => Ok(()),
    }
}

/// Spools a reader that blocks, such as standard input.
pub(crate) fn reader(
    mut input: impl Read,
    options: &OpenOptions,
) -> Result<TempPath, TabularError> {
    let mut output = BufWriter::with_capacity(BUFFER, file(options.temporary.as_deref())?);
    let (mut buffer, mut bytes) = (vec![0; BUFFER], 0);
    loop {
        match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                bytes += read as u64;
                check_bytes(bytes, &options.limits)?;
                output.write_all(&buffer[..read])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let file = output.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(file.into_temp_path())
}

/// Spools a stream, telling how many bytes have come. Returns the file and its size.
pub(crate) async fn stream<S>(
    mut input: S,
    options: &OpenOptions,
    mut told: impl FnMut(u64),
) -> Result<(TempPath, u64), TabularError>
where
    S: Stream<Item = io::Result<Bytes>> + Unpin,
{
    let (file, path) = file(options.temporary.as_deref())?.into_parts();
    let mut output = tokio::io::BufWriter::with_capacity(BUFFER, tokio::fs::File::from_std(file));
    let mut bytes = 0;
    while let Some(chunk) = input.next().await {
        let chunk = chunk?;
        bytes += chunk.len() as u64;
        check_bytes(bytes, &options.limits)?;
        output.write_all(&chunk).await?;
        told(bytes);
    }
    output.flush().await?;
    Ok((path, bytes))
}
