//! What a model's owner stated: entries of its metadata, under the names of the field.

use serde::Serialize;
use serde_json::{Map, Value};

/// The longest text that a card takes over.
const MOST: usize = 10_000;

/// What the owner stated. None: not stated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stated {
    /// Who developed it.
    pub developers: Option<String>,
    /// Under which licence.
    pub license: Option<String>,
    /// Where more is written of it: a paper, a citation.
    pub citation: Option<String>,
    /// Whom to ask.
    pub contact: Option<String>,
    /// What it is for.
    pub intended_use: Option<String>,
    /// Who is to use it.
    pub intended_users: Option<String>,
    /// What it is not for.
    pub out_of_scope_use: Option<String>,
    /// Groups, instruments and surroundings that its performance depends on.
    pub factors: Option<String>,
    /// What it was trained on.
    pub training_data: Option<String>,
    /// What it was evaluated on.
    pub evaluation_data: Option<String>,
    /// Risks and harms that were considered.
    pub ethical_considerations: Option<String>,
    /// Where it is known to fail.
    pub limitations: Option<String>,
    /// What its owner recommends.
    pub recommendations: Option<String>,
}

impl Stated {
    /// From a model's metadata.
    pub(super) fn of(metadata: &Value) -> Self {
        let empty = Map::new();
        let entries = metadata.as_object().unwrap_or(&empty);
        let first = |names: &[&str]| names.iter().find_map(|name| words(entries.get(*name)?));
        Self {
            developers: first(&["developers", "developer", "developed_by", "owner"]),
            license: first(&["license", "licence"]),
            citation: first(&["citation", "paper", "references"]),
            contact: first(&["contact", "model_card_contact"]),
            intended_use: first(&["intended_use", "intended_uses", "direct_use"]),
            intended_users: first(&["intended_users", "users"]),
            out_of_scope_use: first(&["out_of_scope_use", "out_of_scope_uses", "out_of_scope"]),
            factors: first(&["factors", "testing_factors"]),
            training_data: first(&["training_data"]),
            evaluation_data: first(&["evaluation_data", "testing_data"]),
            ethical_considerations: first(&["ethical_considerations", "risks"]),
            limitations: first(&["limitations", "known_limitations", "bias_risks_limitations"]),
            recommendations: first(&["recommendations"]),
        }
    }

    /// The sections of a card that are the owner's alone, in their order.
    pub fn sections(&self) -> [(&'static str, Option<&str>); 9] {
        [
            ("Intended use", self.intended_use.as_deref()),
            ("Intended users", self.intended_users.as_deref()),
            ("Out-of-scope use", self.out_of_scope_use.as_deref()),
            ("Factors", self.factors.as_deref()),
            ("Training data", self.training_data.as_deref()),
            ("Evaluation data", self.evaluation_data.as_deref()),
            ("Ethical considerations", self.ethical_considerations.as_deref()),
            ("Limitations", self.limitations.as_deref()),
            ("Recommendations of the owner", self.recommendations.as_deref()),
        ]
    }
}

/// A text, or a list of texts as lines; whatever else is there, as JSON.
fn words(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.trim().to_owned(),
        Value::Array(list) => {
            let lines: Vec<String> = list.iter().filter_map(words).collect();
            lines.join("\n")
        }
        other => other.to_string(),
    };
    (!text.is_empty()).then(|| match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_there_is_taken_and_nothing_is_made_up() {
        let stated = Stated::of(&json!({
            "intended_use": " Screening of applications ",
            "limitations": ["Small samples", "", null, "Dialects"],
            "licence": "",
            "factors": null,
            "risks": { "level": 2 },
        }));
        assert_eq!(stated.intended_use.as_deref(), Some("Screening of applications"));
        assert_eq!(stated.limitations.as_deref(), Some("Small samples\nDialects"));
        assert_eq!(stated.ethical_considerations.as_deref(), Some("{\"level\":2}"));
        assert_eq!((stated.license, stated.factors, stated.training_data), (None, None, None));
        assert_eq!(Stated::of(&json!([1])), Stated::default());
    }

    #[test]
    fn long_texts_are_cut_between_letters() {
        let stated = Stated::of(&json!({ "intended_use": "\u{e4}".repeat(MOST + 5) }));
        assert_eq!(stated.intended_use.unwrap().chars().count(), MOST + 1);
    }
}
