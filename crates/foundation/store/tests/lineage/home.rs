//! Where a column lives, and how its value gets there and back.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Where a column lives.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Home {
    /// Copied, with a cast.
    Copied(String),
    /// Converted.
    Converted(Converted),
}

/// A value that is not merely copied.
#[derive(Debug, Clone, Deserialize)]
pub struct Converted {
    pub to: Vec<String>,
    #[serde(flatten)]
    pub how: Conversion,
}

/// How a value is converted.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "as", rename_all = "lowercase")]
pub enum Conversion {
    /// The row's own identifier: a UUID stays, anything else gets one, kept in `ops.imported_ids`.
    Id,
    /// The identifier of a row of the same system's table.
    Reference { of: String },
    /// A vocabulary, translated; words that are not listed are copied.
    Words { words: BTreeMap<String, String> },
    /// A key of a JSON column.
    Json { key: String },
    /// SQL over the source row `s`, an expression for each target; `back` is over the target row `t`.
    /// What is lossy (a secret that is kept as its hash) says why.
    Sql { there: Vec<String>, back: String, lossy: Option<String> },
    /// Not stored: it follows from what is.
    Derived { back: String, lossy: Option<String> },
}

impl Home {
    /// `schema.table.column` of all that it goes to.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        let targets = match self {
            Self::Copied(target) => std::slice::from_ref(target),
            Self::Converted(converted) => converted.to.as_slice(),
        };
        targets.iter().map(String::as_str)
    }
}

/// Table and column of a target.
pub fn split(target: &str) -> (&str, &str) {
    target.rsplit_once('.').unwrap_or_else(|| panic!("`{target}` is no schema.table.column"))
}
