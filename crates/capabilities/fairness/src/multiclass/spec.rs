//! What to analyse of predicted classes.

use std::collections::BTreeSet;

use arrow::datatypes::Schema;
use serde::{Deserialize, Serialize};

use super::{DISPARITIES, one_against_rest, registry};
use crate::{
    AnalysisSpec, Fault, column_faults,
    frame::{Grouping, names_of},
};

/// What to analyse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MulticlassSpec {
    /// The column of true classes.
    pub target: String,
    /// The column of predicted classes.
    pub prediction: String,
    /// Who is compared with whom. A threshold of a disparity of one class against the rest holds for every class.
    #[serde(flatten)]
    pub groups: Grouping,
}

impl MulticlassSpec {
    /// An analysis of `prediction` against `target`, with the defaults for the rest.
    pub fn new(target: impl Into<String>, prediction: impl Into<String>, groups: Grouping) -> Self {
        Self { target: target.into(), prediction: prediction.into(), groups }
    }

    /// All that is wrong with the spec, given the columns.
    pub fn faults(&self, schema: &Schema) -> Vec<Fault> {
        let base = AnalysisSpec {
            prediction: Some(self.prediction.clone()),
            ..self.groups.as_spec(&self.target)
        };
        let mut faults = base.faults();
        faults.extend(self.own_faults());
        faults.extend(column_faults(&base, schema));
        faults
    }

    /// What is wrong with what other tasks are not asked, before any data are seen.
    pub(crate) fn own_faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.prediction.is_empty() {
            faults.push(
                Fault::new(
                    "/prediction",
                    "required",
                    "The column of predicted classes is not named.",
                )
                .hint("Name it as prediction."),
            );
        }
        faults.extend(self.groups.threshold_faults(&known()));
        faults
    }
}

fn known() -> BTreeSet<String> {
    let mut known = names_of(registry().iter().map(|metric| metric.about.quantity()));
    known.extend(names_of(one_against_rest::quantities()));
    known.extend(DISPARITIES.iter().map(|about| about.id.to_owned()));
    known
}
