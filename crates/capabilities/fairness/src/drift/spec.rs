//! What to compare, and how far apart is accepted.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::registry;
use crate::{
    AnalysisSpec, Fault, catalogue,
    fault::nearest,
    significance::adjust::{benjamini_hochberg, holm},
};

/// The most columns of one comparison.
pub const MAX_COLUMNS: usize = 1_000;

/// What to compare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DriftSpec {
    /// The columns; empty for every column that both tables have.
    pub columns: Vec<String>,
    /// Test or metric id to threshold. The tests named here judge the columns that they apply to, instead of the chosen one; the
    /// metrics named here are judged too.
    pub thresholds: BTreeMap<String, f64>,
    /// The confidence of intervals and tests: a test finds a difference when its p-value is at most 1 - confidence.
    pub confidence: f64,
    /// How the p-values of many columns are adjusted; those of many metrics, and of many disparities, likewise.
    pub adjustment: Adjustment,
    /// A column with fewer values than this in either table is not judged.
    pub min_rows: u64,
    /// The seed of what is drawn at random: of the bootstrap of `analysis`, if that gives none.
    pub seed: u64,
    /// A column whose values divide the reference into chunks, such as months: thresholds of distances are then what chunks differ
    /// by among themselves (mean + 3 standard deviations).
    pub chunks: Option<String>,
    /// Compares performance and fairness too, as this says.
    pub analysis: Option<AnalysisSpec>,
}

/// How the p-values of many columns, metrics or disparities are adjusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adjustment {
    /// Holm: the chance of any false alarm stays below 1 - confidence.
    #[default]
    Holm,
    /// Benjamini and Hochberg: of all alarms, on average a share of at most 1 - confidence is false.
    BenjaminiHochberg,
    /// Each by itself: of a hundred columns without drift, five sound an alarm at a confidence of 0.95.
    None,
}

impl Adjustment {
    /// Adjusts p-values, in their order.
    pub(super) fn of(self, p: Vec<f64>) -> Vec<f64> {
        match self {
            Self::Holm => holm(&p),
            Self::BenjaminiHochberg => benjamini_hochberg(&p),
            Self::None => p,
        }
    }
}

impl Default for DriftSpec {
    fn default() -> Self {
        Self {
            columns: Vec::new(),
            thresholds: BTreeMap::new(),
            confidence: 0.95,
            adjustment: Adjustment::default(),
            min_rows: 30,
            seed: 0,
            chunks: None,
            analysis: None,
        }
    }
}

impl DriftSpec {
    /// All that is wrong with the spec by itself, before any data are seen.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.column_faults(&mut faults);
        if !(self.confidence >= 0.5 && self.confidence < 1.0) {
            let message = format!(
                "The confidence is {}; it must be at least 0.5 and below 1.",
                self.confidence
            );
            faults.push(Fault::new("/confidence", "out_of_range", message).hint("0.95 is usual."));
        }
        for (id, threshold) in &self.thresholds {
            let place = format!("/thresholds/{id}");
            if registry::find(id).is_none() && catalogue::find(id).is_none() {
                let message = format!("There is no test of drift and no metric `{id}`.");
                let fault = Fault::new(place.clone(), "unknown_test", message);
                let tests = registry::all().iter().map(|test| test.id);
                faults.push(match nearest(id, tests).or_else(|| catalogue::nearest(id)) {
                    Some(name) => fault.hint(format!("Did you mean `{name}`?")),
                    None => fault.hint("`psi` is one."),
                });
            } else if registry::find(id).is_none() && self.analysis.is_none() {
                let message = format!("`{id}` is a metric, and no analysis is asked for.");
                faults.push(
                    Fault::new(place.clone(), "no_analysis", message)
                        .hint("Name the target and the protected attributes."),
                );
            }
            if !(0.0..=1e9).contains(threshold) {
                let message = format!(
                    "The threshold of `{id}` is {threshold}; it must be a number of at least 0."
                );
                faults.push(Fault::new(place, "out_of_range", message).hint("0.1 is usual."));
            }
        }
        if let Some(analysis) = &self.analysis {
            faults.extend(analysis.faults().into_iter().map(within_analysis));
        }
        faults
    }

    fn column_faults(&self, faults: &mut Vec<Fault>) {
        if self.columns.len() > MAX_COLUMNS {
            let message = format!(
                "{} columns are named; at most {MAX_COLUMNS} can be compared.",
                self.columns.len()
            );
            faults.push(
                Fault::new("/columns", "too_many", message).hint("Compare them in several runs."),
            );
        }
        let mut seen = BTreeSet::new();
        for (index, column) in self.columns.iter().enumerate() {
            let place = format!("/columns/{index}");
            if column.is_empty() {
                faults.push(Fault::new(place, "required", "A column has no name."));
            } else if !seen.insert(column) {
                faults.push(Fault::new(place, "duplicate", format!("`{column}` is named twice.")));
            }
        }
        if let Some(chunks) = &self.chunks
            && self.columns.contains(chunks)
        {
            let message = format!("`{chunks}` divides the reference, and is compared at once.");
            faults.push(Fault::new("/chunks", "two_roles", message));
        }
    }

    /// The threshold that is set for a metric, by any of its names.
    pub(super) fn metric_threshold<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Option<f64> {
        // `kolmogorov_smirnov` is a metric's other name too: here it is the test.
        let mut names = names.into_iter().filter(|name| registry::find(name).is_none());
        names.find_map(|name| self.thresholds.get(name)).copied()
    }
}

/// A fault of the analysis, told where it stands in a [`DriftSpec`].
pub(super) fn within_analysis(mut fault: Fault) -> Fault {
    fault.where_ = format!("/analysis{}", fault.where_.trim_end_matches('/'));
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_spec_is_right_and_all_faults_come_at_once() {
        assert!(DriftSpec::default().faults().is_empty());
        let wrong = DriftSpec {
            columns: vec!["a".to_owned(), "a".to_owned(), String::new()],
            thresholds: [("psy", 0.1), ("psi", f64::NAN), ("accuracy", 0.1)]
                .map(|(id, threshold)| (id.to_owned(), threshold))
                .into(),
            confidence: 1.0,
            chunks: Some("a".to_owned()),
            analysis: Some(AnalysisSpec::new("", ["sex"])),
            ..DriftSpec::default()
        };
        let found: Vec<(String, String)> =
            wrong.faults().into_iter().map(|fault| (fault.where_, fault.code)).collect();
        let all = [
            ("/columns/1", "duplicate"),
            ("/columns/2", "required"),
            ("/chunks", "two_roles"),
            ("/confidence", "out_of_range"),
            ("/thresholds/psi", "out_of_range"),
            ("/thresholds/psy", "unknown_test"),
            ("/analysis/target", "required"),
        ];
        assert_eq!(found, all.map(|(place, code)| (place.to_owned(), code.to_owned())));
        let metric =
            DriftSpec { thresholds: [("accuracy".to_owned(), 0.1)].into(), ..DriftSpec::default() };
        assert_eq!(metric.faults().first().map(|fault| fault.code.as_str()), Some("no_analysis"));
    }

    #[test]
    fn an_unknown_field_is_refused() {
        assert!(
            serde_json::from_str::<DriftSpec>("{}").is_ok_and(|spec| spec == DriftSpec::default())
        );
        assert!(serde_json::from_str::<DriftSpec>(r#"{"colums":[]}"#).is_err());
    }
}
