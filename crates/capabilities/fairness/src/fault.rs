//! What is wrong with a request or its data, one fault at a time.

use serde::{Deserialize, Serialize};

/// One fault. A request's faults are always reported together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Where: a JSON pointer into the [`AnalysisSpec`](crate::AnalysisSpec), such as `/target` or `/protected/1`.
    #[serde(rename = "where")]
    pub where_: String,
    /// A stable word, such as `unknown_column` or `label_not_binary`.
    pub code: String,
    /// What is wrong, and with which value.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Fault {
    pub(crate) fn new(where_: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self { where_: where_.into(), code: code.to_owned(), message: message.into(), hint: None }
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}", self.where_, self.message)?;
        match &self.hint {
            Some(hint) => write!(out, " {hint}"),
            None => Ok(()),
        }
    }
}

/// Of `known`, the name that somebody who typed `name` most likely meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::levenshtein(&typed, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            *distance <= 1 + candidate.chars().count().max(typed.chars().count()) / 3
        })
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_nearest_name_or_none() {
        assert_eq!(nearest("y_tru", ["sex", "y_true", "y_pred"]), Some("y_true"));
        assert_eq!(nearest("RACE", ["race", "age"]), Some("race"));
        assert_eq!(nearest("postcode", ["sex", "race"]), None);
    }
}
