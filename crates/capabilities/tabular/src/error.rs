//! What can be wrong with a table, in words that say where and what to do.

use std::{fmt, io, path::PathBuf};

use datafusion::error::DataFusionError;

/// A file that is broken: where, why, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The line, from 1. None where a format has no lines.
    pub line: Option<u64>,
    /// The character within the line, from 1.
    pub column: Option<u64>,
    /// The byte within the file, from 0.
    pub offset: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Malformed {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { line: None, column: None, offset: None, message: message.into(), hint: None }
    }

    pub(crate) fn at(mut self, line: u64, column: u64, offset: u64) -> Self {
        (self.line, self.column, self.offset) = (Some(line), Some(column), Some(offset));
        self
    }

    pub(crate) fn byte(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column, self.offset) {
            (Some(line), Some(column), _) => write!(f, "line {line}, column {column}: ")?,
            (Some(line), None, _) => write!(f, "line {line}: ")?,
            (None, _, Some(offset)) => write!(f, "byte {offset}: ")?,
            (None, _, None) => {}
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, ". {hint}"),
            None => Ok(()),
        }
    }
}

/// Why a table could not be opened, read, profiled or converted.
#[derive(Debug, thiserror::Error)]
pub enum TabularError {
    /// The file is broken.
    #[error("{0}")]
    Malformed(Malformed),
    /// The file is of a kind that is not read here.
    #[error("{message}. {hint}")]
    Unsupported {
        /// What it is.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// A limit is passed.
    #[error("{what} exceed the limit of {limit}. {hint}")]
    TooLarge {
        /// What there is too much of, in the plural.
        what: String,
        /// The limit.
        limit: u64,
        /// What to do about it.
        hint: String,
    },
    /// The file cannot be read.
    #[error("{} cannot be read: {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// The data stopped coming: a broken connection, a full disk.
    #[error("the data could not be taken in: {0}")]
    Io(#[from] io::Error),
    /// The object store failed.
    #[error("the object store failed: {0}")]
    Store(#[from] object_store::Error),
    /// The query engine failed; out of memory and disk included.
    #[error("the table could not be read: {0}")]
    Engine(#[source] Box<DataFusionError>),
    /// Somebody stopped it.
    #[error("it was cancelled")]
    Cancelled,
}

impl TabularError {
    /// Is it the input that is wrong, rather than the machine?
    pub fn is_input(&self) -> bool {
        matches!(self, Self::Malformed(_) | Self::Unsupported { .. } | Self::TooLarge { .. })
    }

    /// Is there no room left where data are written: a full disk, a used-up quota?
    pub fn is_storage_full(&self) -> bool {
        is_full(self)
    }

    pub(crate) fn too_large(what: impl Into<String>, limit: u64, hint: impl Into<String>) -> Self {
        Self::TooLarge { what: what.into(), limit, hint: hint.into() }
    }

    pub(crate) fn unsupported(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Unsupported { message: message.into(), hint: hint.into() }
    }

    /// A task of ours that did not come to its end.
    pub(crate) fn task(error: tokio::task::JoinError) -> Self {
        if error.is_cancelled() { Self::Cancelled } else { Self::Io(io::Error::other(error)) }
    }
}

/// Whether an error, or what caused it, is that there is no room left.
fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let own = error.downcast_ref::<io::Error>();
    own.is_some_and(|own| {
        matches!(own.kind(), StorageFull | QuotaExceeded | FileTooLarge)
            // An error that was put into one for its type's sake is no source of it.
            || own.get_ref().is_some_and(|inner| is_full(inner))
    }) || error.source().is_some_and(is_full)
}

impl From<Malformed> for TabularError {
    fn from(fault: Malformed) -> Self {
        Self::Malformed(fault)
    }
}

impl From<DataFusionError> for TabularError {
    /// A fault of ours comes back out of the engine as what it was.
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(inner) => match inner.downcast::<Self>() {
                Ok(own) => *own,
                Err(other) => Self::Engine(Box::new(DataFusionError::External(other))),
            },
            DataFusionError::Context(_, inner) => Self::from(*inner),
            other => Self::Engine(Box::new(other)),
        }
    }
}

impl From<TabularError> for DataFusionError {
    fn from(error: TabularError) -> Self {
        Self::External(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_known_however_deep_it_lies() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let stored = object_store::Error::Generic { store: "folder", source: Box::new(full()) };
        for error in [
            TabularError::Io(full()),
            TabularError::Io(io::Error::other(full())),
            TabularError::Store(stored),
            TabularError::Engine(Box::new(DataFusionError::IoError(full()))),
        ] {
            assert!(error.is_storage_full(), "{error}");
        }
        let broken = TabularError::Io(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(!broken.is_storage_full() && !TabularError::Cancelled.is_storage_full());
    }
}
