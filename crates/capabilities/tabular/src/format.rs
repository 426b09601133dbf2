//! The formats, and how to tell them apart.

use std::{fmt, path::Path, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Malformed, TabularError};

/// A file's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Text with a delimiter between fields, RFC 4180.
    Csv,
    /// One JSON object per line.
    Ndjson,
    /// One JSON array of objects.
    Json,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// Its word: `csv`, `ndjson`, `json`, `parquet`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
            Self::Parquet => "parquet",
        }
    }

    /// What a file's name says.
    pub fn from_name(name: &str) -> Option<Self> {
        let extension = Path::new(name).extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "csv" | "tsv" | "tab" | "psv" => Some(Self::Csv),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "json" => Some(Self::Json),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// What a media type says: `text/csv`, `application/x-ndjson`, `application/json`,
    /// `application/vnd.apache.parquet`.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "text/csv" | "text/tab-separated-values" => Some(Self::Csv),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => {
                Some(Self::Ndjson)
            }
            "application/json" => Some(Self::Json),
            "application/vnd.apache.parquet" | "application/x-parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// What the first bytes say. An array of objects and lines of objects are told apart by their first
    /// character, whatever the file is called; what is neither JSON nor Parquet is CSV.
    pub(crate) fn sniff(start: &[u8]) -> Result<Self, TabularError> {
        if start.starts_with(b"PAR1") || start.starts_with(b"PARE") {
            return Ok(Self::Parquet);
        }
        for (magic, what) in PACKED {
            if start.starts_with(magic) {
                return Err(TabularError::unsupported(
                    format!("this is {what}, not a table"),
                    UNPACK,
                ));
            }
        }
        if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
            return Err(Malformed::new("this text is UTF-16")
                .at(1, 1, 0)
                .hint("Save it as UTF-8; `iconv -f UTF-16 -t UTF-8` does that.")
                .into());
        }
        let text = start.strip_prefix(BOM).unwrap_or(start);
        match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
            None => Err(Malformed::new("the file is empty").at(1, 1, 0).into()),
            Some(b'[') => Ok(Self::Json),
            Some(b'{') => Ok(Self::Ndjson),
            Some(_) => Ok(Self::Csv),
        }
    }
}

/// The mark that some programs put before UTF-8.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

const UNPACK: &str = "Unpack it (or save the sheet as CSV), and give the file inside";

const PACKED: [(&[u8], &str); 6] = [
    (b"PK\x03\x04", "a ZIP archive (or an Excel or ODS sheet)"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\x00", "an xz file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel sheet"),
];

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Csv, Self::Ndjson, Self::Json, Self::Parquet]
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not one of csv, ndjson, json, parquet"))
    }
}
