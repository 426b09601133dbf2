//! A file on disk that a table is read from.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::TempPath;

use crate::{Malformed, TabularError};

/// A file; a temporary one goes when its last table does.
#[derive(Debug, Clone)]
pub(crate) struct TableFile {
    path: PathBuf,
    _temporary: Option<Arc<TempPath>>,
}

impl TableFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, _temporary: None }
    }

    pub(crate) fn temporary(path: TempPath) -> Self {
        Self { path: path.to_path_buf(), _temporary: Some(Arc::new(path)) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn open(&self) -> Result<File, TabularError> {
        let opened = File::open(&self.path).and_then(|file| {
            if file.metadata()?.is_dir() {
                return Err(io::Error::new(
                    io::ErrorKind::IsADirectory,
                    "it is a folder, not a file",
                ));
            }
            Ok(file)
        });
        opened.map_err(|error| self.error(error))
    }

    pub(crate) fn error(&self, error: io::Error) -> TabularError {
        TabularError::File { path: self.path.clone(), error }
    }

    /// The bytes from `offset` on.
    pub(crate) fn read_at(
        &self,
        file: &mut File,
        offset: u64,
        bytes: usize,
    ) -> Result<Vec<u8>, TabularError> {
        let mut buffer = vec![0; bytes];
        file.seek(SeekFrom::Start(offset)).map_err(|error| self.error(error))?;
        file.read_exact(&mut buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => changed().into(),
            _ => self.error(error),
        })?;
        Ok(buffer)
    }
}

/// The file is not what it was when it was opened.
pub(crate) fn changed() -> Malformed {
    Malformed::new("the file was changed while it was read")
        .hint("Read it again when nothing writes to it.")
}
