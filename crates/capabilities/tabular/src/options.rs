//! Where a table comes from, and how to read it.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use object_store::ObjectStore;

use crate::Format;

/// Where a table comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file of any size, read where it lies.
    Path(PathBuf),
    /// Standard input: it goes to a temporary file as it comes.
    Stdin,
    /// Bytes in memory.
    Bytes(Bytes),
    /// An object. Parquet is read where it lies, anything else goes to a temporary file first.
    Object {
        /// The store.
        store: Arc<dyn ObjectStore>,
        /// Where in it.
        path: object_store::path::Path,
    },
}

/// How to read a table.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The format; by default what the content says.
    pub format: Option<Format>,
    /// CSV: the byte between fields; by default the one of `,` `;` tab `|` that fits.
    pub delimiter: Option<u8>,
    /// CSV: the first record names the columns; else they are `column_1`, `column_2` …
    pub header: bool,
    /// CSV: blanks around a field, outside quotes, are not part of it.
    pub trim: bool,
    /// CSV: the words that mean a missing value when they are not quoted.
    pub null_words: Vec<String>,
    /// CSV: the columns that will be read; what the others hold is not looked at, and they are text. By default all. Where they
    /// have few values, they are kept in memory as codes when the table is opened, and the file is not read again.
    pub only: Option<Vec<String>>,
    /// How much memory a query may take before it spills to disk, in bytes; half as much again may be kept of the columns in `only`.
    pub memory_bytes: usize,
    /// How many threads read; by default as many as there are processors.
    pub partitions: Option<usize>,
    /// Where temporary files go; by default the system's folder for them.
    pub temporary: Option<PathBuf>,
    /// What is refused.
    pub limits: Limits,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            format: None,
            delimiter: None,
            header: true,
            trim: true,
            null_words: ["", "null", "NULL", "NA", "N/A"].map(String::from).to_vec(),
            only: None,
            memory_bytes: 512 << 20,
            partitions: None,
            temporary: None,
            limits: Limits::default(),
        }
    }
}

impl OpenOptions {
    pub(crate) fn threads(&self) -> usize {
        self.partitions
            .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
            .unwrap_or(1)
            .max(1)
    }
}

/// What is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The size of the input, in bytes.
    pub bytes: Option<u64>,
    /// The size of what a Parquet file unpacks to, in bytes: declared, and counted while it is converted.
    pub unpacked_bytes: Option<u64>,
    /// How many rows.
    pub rows: Option<u64>,
    /// How many columns.
    pub columns: usize,
    /// The size of one record of CSV or JSON, in bytes. At most 1 GiB.
    pub record_bytes: usize,
    /// The size that one page of a Parquet file unpacks to, in bytes.
    pub page_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: None,
            unpacked_bytes: None,
            rows: None,
            columns: 4096,
            record_bytes: 16 << 20,
            page_bytes: 256 << 20,
        }
    }
}
