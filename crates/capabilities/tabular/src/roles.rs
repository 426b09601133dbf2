//! Which columns are likely the label, the prediction, the score and the protected attributes: by name and values, to
//! fill a form in beforehand. Somebody looks at it before it counts.

use serde::{Deserialize, Serialize};

use crate::{ColumnProfile, Profile, Value, ValueKind};

/// A column that may play a role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The column.
    pub column: String,
    /// How likely it is, from 0 to 1; only its order means something.
    pub confidence: f64,
    /// Why.
    pub reason: String,
}

/// Candidates for each role, the likeliest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Roles {
    /// The true label.
    pub target: Vec<Candidate>,
    /// The predicted label.
    pub prediction: Vec<Candidate>,
    /// The score that predictions follow from.
    pub score: Vec<Candidate>,
    /// Attributes that people must not be treated by.
    pub protected: Vec<Candidate>,
}

const TARGET: &[&str] = &[
    "y_true",
    "ytrue",
    "target",
    "label",
    "actual",
    "outcome",
    "ground_truth",
    "class",
    "true",
    "income",
    "default",
    "approved",
    "hired",
    "y",
];
const PREDICTION: &[&str] = &[
    "y_pred",
    "ypred",
    "prediction",
    "predicted",
    "predicted_label",
    "pred",
    "y_hat",
    "yhat",
    "decision",
    "predicted_class",
];
const SCORE: &[&str] = &[
    "score",
    "y_score",
    "y_prob",
    "probability",
    "proba",
    "prob",
    "predicted_probability",
    "confidence",
    "risk_score",
    "p",
];
const PROTECTED: &[&str] = &[
    "sex",
    "gender",
    "race",
    "ethnicity",
    "ethnic",
    "age",
    "age_group",
    "age_band",
    "religion",
    "disability",
    "nationality",
    "native_country",
    "country_of_birth",
    "marital_status",
    "marital",
    "pregnancy",
    "orientation",
    "veteran",
    "citizenship",
    "skin",
    "language",
    "foreign_worker",
    "personal_status",
];
/// More groups than this tell nobody apart.
const GROUPS: u64 = 50;

/// Likely roles of a table's columns.
pub fn suggest_roles(profile: &Profile) -> Roles {
    let mut roles = Roles::default();
    for column in &profile.columns {
        let words = words(&column.name);
        let (two, unit) = (binary(column), in_unit(column));
        let named = |list| named(&words, list);
        let put = |list: &mut Vec<Candidate>, confidence: f64, reason: String| {
            list.push(Candidate { column: column.name.clone(), confidence, reason });
        };
        if let Some((word, fit)) = named(PREDICTION)
            && column.distinct.count <= GROUPS
        {
            put(&mut roles.prediction, fit + bonus(two), because(word, two, "it has two values"));
        } else if let Some((word, fit)) = named(SCORE).filter(|_| numeric(column) && !two) {
            put(
                &mut roles.score,
                fit + bonus(unit),
                because(word, unit, "its values lie between 0 and 1"),
            );
        } else if let Some((word, fit)) = named(PROTECTED)
            && column.distinct.count > 1
        {
            let few = column.distinct.exact && column.distinct.count <= GROUPS;
            let confidence = if few { fit + 0.1 } else { fit / 2.0 };
            put(&mut roles.protected, confidence, because(word, few, "it has few values"));
        } else if let Some((word, fit)) = named(TARGET)
            && column.distinct.count <= GROUPS
        {
            put(&mut roles.target, fit + bonus(two), because(word, two, "it has two values"));
        } else if unit && !two && column.kind == ValueKind::Number && column.distinct.count > 20 {
            put(&mut roles.score, 0.2, "its values lie between 0 and 1".to_owned());
        } else if two && zero_one(column) {
            put(&mut roles.target, 0.2, "its values are 0 and 1".to_owned());
            put(&mut roles.prediction, 0.1, "its values are 0 and 1".to_owned());
        }
    }
    for list in [&mut roles.target, &mut roles.prediction, &mut roles.score, &mut roles.protected] {
        // Stable: columns of one confidence stay in the table's order.
        list.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    }
    roles
}

fn bonus(given: bool) -> f64 {
    if given { 0.1 } else { 0.0 }
}

fn because(word: &str, given: bool, also: &str) -> String {
    if given {
        format!("its name says `{word}`, and {also}")
    } else {
        format!("its name says `{word}`")
    }
}

/// A name in lower case, its words joined by `_`: `nativeCountry`, `Native Country` and `native-country` are one.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    let mut lower = false;
    for character in name.trim().chars() {
        if character.is_alphanumeric() {
            if lower && character.is_uppercase() {
                words.push('_');
            }
            lower = character.is_lowercase();
            words.extend(character.to_lowercase());
        } else {
            lower = false;
            if !words.ends_with('_') {
                words.push('_');
            }
        }
    }
    words.trim_matches('_').to_owned()
}

/// The name itself is listed, or a part of it is.
fn named<'l>(name: &str, list: &[&'l str]) -> Option<(&'l str, f64)> {
    if let Some((index, word)) = list.iter().enumerate().find(|(_, word)| **word == name) {
        return Some((word, 0.9 - 0.01 * index as f64));
    }
    let padded = format!("_{name}_");
    // A single letter within a name says nothing.
    let part = |word: &&&str| word.len() > 1 && padded.contains(&format!("_{word}_"));
    list.iter().find(part).map(|word| (*word, 0.5))
}

fn numeric(column: &ColumnProfile) -> bool {
    matches!(column.kind, ValueKind::Integer | ValueKind::Number)
}

fn binary(column: &ColumnProfile) -> bool {
    column.distinct.exact && column.distinct.count == 2
}

fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Integer(value) => Some(*value as f64),
        Value::Number(value) => Some(*value),
        Value::Boolean(_) | Value::Text(_) => None,
    }
}

fn in_unit(column: &ColumnProfile) -> bool {
    number(column.min.as_ref())
        .zip(number(column.max.as_ref()))
        .is_some_and(|(min, max)| min >= 0.0 && max <= 1.0)
}

fn zero_one(column: &ColumnProfile) -> bool {
    number(column.min.as_ref()) == Some(0.0) && number(column.max.as_ref()) == Some(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words() {
        assert_eq!(words("nativeCountry"), "native_country");
        assert_eq!(words(" Native-Country "), "native_country");
        assert_eq!(words("Y_TRUE"), "y_true");
        assert_eq!(named("applicant_sex", PROTECTED), Some(("sex", 0.5)));
        assert_eq!(named("essex", PROTECTED), None);
        assert_eq!(named("x_y_z", TARGET), None);
    }
}
