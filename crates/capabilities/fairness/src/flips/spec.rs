//! Which two decisions of each row to compare.

use arrow::datatypes::Schema;
use serde::{Deserialize, Serialize};

use super::names;
use crate::{
    AnalysisSpec, Fault, column_faults,
    frame::{Grouping, Need, Outcome, require},
    spec::half,
};

/// Which two decisions of each row to compare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlipSpec {
    /// The column of the model's decisions, or of its scores.
    pub prediction: String,
    /// The column of its decisions with the protected attribute changed and all else as it is, or of its scores then.
    pub flipped: String,
    /// Both columns are scores: those of at least this are positive. Without it they are labels.
    #[serde(default)]
    pub score_threshold: Option<f64>,
    /// The label that counts as positive. May be left out for 0/1, -1/1 and true/false.
    #[serde(default)]
    pub positive_label: Option<String>,
    /// Who is compared with whom.
    #[serde(flatten)]
    pub groups: Grouping,
}

impl FlipSpec {
    /// Labels `prediction` and, with the attribute changed, `flipped`; the defaults for the rest.
    pub fn new(
        prediction: impl Into<String>,
        flipped: impl Into<String>,
        groups: Grouping,
    ) -> Self {
        Self {
            prediction: prediction.into(),
            flipped: flipped.into(),
            score_threshold: None,
            positive_label: None,
            groups,
        }
    }

    /// The same of an analysis' spec: its predictions, or its scores if it has none.
    pub fn of(spec: &AnalysisSpec, flipped: impl Into<String>) -> Self {
        let (prediction, score_threshold) = match (&spec.prediction, &spec.score) {
            (Some(name), _) => (name.clone(), None),
            (None, Some(name)) => (name.clone(), Some(spec.score_threshold)),
            (None, None) => (String::new(), None),
        };
        Self {
            score_threshold,
            positive_label: spec.positive_label.clone(),
            ..Self::new(prediction, flipped, Grouping::from(spec))
        }
    }

    /// How both columns are read.
    pub(super) fn outcomes(&self) -> [Outcome; 2] {
        [&self.prediction, &self.flipped].map(|name| match self.score_threshold {
            Some(threshold) => Outcome::Score(name.clone(), threshold),
            None => Outcome::label(name, self.positive_label.as_deref(), true),
        })
    }

    /// All that is wrong with the spec, given the columns.
    pub fn faults(&self, schema: &Schema) -> Vec<Fault> {
        // Truth is not asked for: what the data were to be compared with does not matter to what the attribute changes.
        let base = AnalysisSpec {
            positive_label: self.positive_label.clone(),
            score_threshold: self.score_threshold.unwrap_or(half()),
            ..self.groups.as_spec(&self.prediction)
        };
        let of_target = |fault: &Fault| fault.where_ == "/target";
        let mut faults: Vec<Fault> =
            base.faults().into_iter().filter(|fault| !of_target(fault)).collect();
        let need = if self.score_threshold.is_some() { Need::Numbers } else { Need::Anything };
        for (place, name, what) in [
            ("/prediction", &self.prediction, "The column of decisions is not named."),
            (
                "/flipped",
                &self.flipped,
                "The column of decisions with the attribute changed is not named.",
            ),
        ] {
            if name.is_empty() {
                faults
                    .push(Fault::new(place, "required", what).hint(
                        "Let the model decide about every row twice, and name both columns.",
                    ));
            }
            faults.extend(require(schema, place, name, "prediction", need));
        }
        faults.extend(two_roles(&self.flipped, &self.prediction, None, &self.groups.protected));
        let seen: Vec<String> = faults.iter().map(|fault| fault.where_.clone()).collect();
        faults.extend(
            column_faults(&base, schema)
                .into_iter()
                .filter(|fault| !of_target(fault) && !seen.contains(&fault.where_)),
        );
        faults.extend(self.groups.threshold_faults(&names()));
        faults
    }
}

/// What is wrong if the column of decisions with the attribute changed has another role as well.
pub(super) fn two_roles(
    flipped: &str,
    decision: &str,
    target: Option<&str>,
    protected: &[String],
) -> Option<Fault> {
    let role = if flipped.is_empty() {
        return None;
    } else if flipped == decision {
        "both decisions"
    } else if target == Some(flipped) {
        "a decision and the target"
    } else if protected.iter().any(|name| name == flipped) {
        "a decision and a protected attribute"
    } else {
        return None;
    };
    let message = format!("`{flipped}` is {role} at once.");
    let fault = Fault::new("/flipped", "two_roles", message);
    Some(fault.hint("Name the column of decisions with the attribute changed."))
}
