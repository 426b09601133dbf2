//! What to analyse of ranked lists.

use arrow::datatypes::Schema;
use serde::{Deserialize, Serialize};

use super::{DISPARITIES, METRICS};
use crate::{
    Fault, column_faults,
    frame::{About, Grouping, Need, names_of, require},
};

/// What to analyse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankingSpec {
    /// The column that says which list a row is of; without it, all rows are one list.
    #[serde(default)]
    pub list: Option<String>,
    /// The column of positions: less is seen first.
    #[serde(default)]
    pub position: Option<String>,
    /// The column of scores, if there are no positions: more is seen first.
    #[serde(default)]
    pub score: Option<String>,
    /// How many rows of a list are its top.
    #[serde(default = "ten")]
    pub top: u32,
    /// Who is compared with whom. Rows of lists have no weights.
    #[serde(flatten)]
    pub groups: Grouping,
}

const fn ten() -> u32 {
    10
}

impl RankingSpec {
    /// An analysis of lists by `score`, with the defaults for the rest.
    pub fn by_score(list: Option<String>, score: impl Into<String>, groups: Grouping) -> Self {
        Self { list, position: None, score: Some(score.into()), top: ten(), groups }
    }

    /// The column that orders a list, and the sign that makes less of it come first.
    pub(super) fn order(&self) -> (&str, f64) {
        match (&self.position, &self.score) {
            (Some(position), _) => (position, 1.0),
            (None, Some(score)) => (score, -1.0),
            (None, None) => ("", 1.0),
        }
    }

    /// All that is wrong with the spec, given the columns.
    pub fn faults(&self, schema: &Schema) -> Vec<Fault> {
        let base = self.groups.as_spec("");
        let mut faults = base.faults();
        faults.extend(column_faults(&base, schema));
        // There is no target here.
        faults.retain(|fault| fault.where_ != "/target");
        faults.extend(self.own_faults());
        let named = [
            ("/list", &self.list, "list", Need::Anything),
            ("/position", &self.position, "position", Need::Numbers),
            ("/score", &self.score, "score", Need::Numbers),
        ];
        for (place, name, role, need) in named {
            let Some(name) = name else { continue };
            faults.extend(require(schema, place, name, role, need));
            if self.groups.protected.contains(name) {
                let message = format!("`{name}` is the {role} and a protected attribute at once.");
                faults.push(Fault::new(place, "two_roles", message));
            }
        }
        faults
    }

    /// What is wrong with what other tasks are not asked, before any data are seen.
    pub(crate) fn own_faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.position.is_some() == self.score.is_some() {
            faults.push(
                Fault::new(
                    "/position",
                    "required",
                    "What orders a list is not plain: it is ordered by positions or by scores.",
                )
                .hint("Name either the column of positions or that of scores."),
            );
        }
        if self.top == 0 {
            faults.push(Fault::new(
                "/top",
                "out_of_range",
                "The top of a list has at least 1 row.",
            ));
        }
        if self.groups.weight.is_some() {
            faults.push(Fault::new(
                "/weight",
                "not_available",
                "Rows of lists have no weights: a row is seen or it is not.",
            ));
        }
        let mut known = names_of(METRICS.iter().map(About::quantity));
        known.extend(DISPARITIES.iter().map(|about| about.id.to_owned()));
        faults.extend(self.groups.threshold_faults(&known));
        faults
    }
}
