//! The report of the data alone as a part of an analysis, made of the same rows.

use arrow::datatypes::Schema;
use datafusion::prelude::DataFrame;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{
    DataReport, describe_with,
    representation::{self, Population},
};
use crate::{
    AnalysisError, AnalysisSpec, Fault,
    analysis::{groupings, names},
    cube::Cube,
    frame::{Need, require},
    spec::MAX_ATTRIBUTES,
};

/// The most features: each is one pass over the data, or two.
pub const MAX_FEATURES: usize = 64;
/// The most attributes and combinations with shares of a population: no analysis describes more.
const MAX_POPULATIONS: usize = 255;

/// What the report of the data alone is asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// Columns that may give the protected attributes away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// Shares of the population, by attribute and group.
    #[serde(default, skip_serializing_if = "Population::is_empty")]
    pub population: Population,
}

impl DataSpec {
    /// All that is wrong with it, beside what is wrong with the spec that it is a part of.
    pub(crate) fn faults(&self, spec: &AnalysisSpec) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.features.len() > MAX_FEATURES {
            let message = format!(
                "{} features are named; at most {MAX_FEATURES} can be.",
                self.features.len()
            );
            faults.push(Fault::new("/data/features", "too_many", message));
        }
        if !self.features.is_empty() && spec.protected.len() == MAX_ATTRIBUTES {
            let message = format!(
                "A feature is held against at most {} protected attributes.",
                MAX_ATTRIBUTES - 1
            );
            faults.push(
                Fault::new("/data/features", "too_many_attributes", message)
                    .hint("Leave one of the protected attributes out, or all features."),
            );
        }
        for (at, feature) in self.features.iter().enumerate().take(MAX_FEATURES) {
            let place = format!("/data/features/{at}");
            if feature.is_empty() {
                faults.push(Fault::new(place.clone(), "required", "A feature has no name."));
            }
            if self.features[..at].contains(feature) {
                let message = format!("`{feature}` is named twice.");
                faults.push(Fault::new(place.clone(), "duplicate", message));
            }
            let role = if spec.target.as_ref() == Some(feature) {
                "target"
            } else if spec.protected.contains(feature) {
                "protected attribute"
            } else if spec.weight.as_ref() == Some(feature) {
                "weight"
            } else {
                continue;
            };
            let message = format!("`{feature}` is the {role} and a feature at once.");
            faults.push(Fault::new(place, "two_roles", message).hint(
                "How strongly labels and protected attributes go together is told without it.",
            ));
        }
        if self.population.len() > MAX_POPULATIONS {
            let message =
                format!("At most {MAX_POPULATIONS} attributes and combinations have shares.");
            faults.push(Fault::new("/data/population", "too_many", message));
        } else if spec.protected.len() <= MAX_ATTRIBUTES {
            let described: Vec<String> = groupings(spec.protected.len(), spec.intersection_depth)
                .iter()
                .map(|attributes| names(spec, attributes).join("|"))
                .collect();
            let found = representation::faults(&self.population, &described);
            faults.extend(found.into_iter().map(within));
        }
        faults
    }

    /// Faults of the features that show once the columns are known.
    pub(crate) fn column_faults(&self, schema: &Schema) -> Vec<Fault> {
        let check = |(at, name): (usize, &String)| {
            require(schema, &format!("/data/features/{at}"), name, "feature", Need::Anything)
        };
        self.features.iter().enumerate().take(MAX_FEATURES).filter_map(check).collect()
    }

    /// The report, of the rows that the analysis reads, and of the cube that it made of them.
    pub(crate) async fn report(
        &self,
        table: DataFrame,
        cube: &Cube,
        spec: &AnalysisSpec,
        cancel: &CancellationToken,
    ) -> Result<DataReport, AnalysisError> {
        // Of what the analysis is asked, only this says what the data are.
        let bare = AnalysisSpec {
            positive_label: spec.positive_label.clone(),
            weight: spec.weight.clone(),
            intersection_depth: spec.intersection_depth,
            min_group_size: spec.min_group_size,
            confidence: spec.confidence,
            target: spec.target.clone(),
            ..AnalysisSpec::unlabelled(spec.protected.clone())
        };
        let (features, population) = (&self.features, &self.population);
        let made = describe_with(table, Some(cube), &bare, features, population, cancel).await;
        made.map_err(|error| match error {
            AnalysisError::Invalid(faults) => {
                AnalysisError::Invalid(faults.into_iter().map(within).collect())
            }
            other => other,
        })
    }
}

/// A fault of the population, as one of the spec that holds it.
fn within(mut fault: Fault) -> Fault {
    if fault.where_.starts_with("/population") {
        fault.where_.insert_str(0, "/data");
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_told_where_it_stands() {
        let mut asked = DataSpec {
            features: ["y", "sex", "a", "a", "", "w"].map(str::to_owned).to_vec(),
            ..DataSpec::default()
        };
        let shares =
            |women: f64| [("f".to_owned(), women), ("m".to_owned(), 0.5)].into_iter().collect();
        asked.population.insert("sex".to_owned(), shares(0.9));
        asked.population.insert("sx".to_owned(), shares(0.5));
        let spec = AnalysisSpec { weight: Some("w".to_owned()), ..AnalysisSpec::new("y", ["sex"]) };
        let faults = asked.faults(&spec);
        let found: Vec<(&str, &str)> =
            faults.iter().map(|fault| (fault.where_.as_str(), fault.code.as_str())).collect();
        let wanted = [
            ("/data/features/0", "two_roles"),
            ("/data/features/1", "two_roles"),
            ("/data/features/3", "duplicate"),
            ("/data/features/4", "required"),
            ("/data/features/5", "two_roles"),
            ("/data/population/sex", "out_of_range"),
            ("/data/population/sx", "unknown_attribute"),
        ];
        assert_eq!(found, wanted);
        assert!(DataSpec::default().faults(&spec).is_empty());
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let asked = DataSpec {
            features: (0..=MAX_FEATURES).map(|at| at.to_string()).collect(),
            ..DataSpec::default()
        };
        let all: Vec<String> = (0..MAX_ATTRIBUTES).map(|at| format!("p{at}")).collect();
        let faults = asked
            .faults(&AnalysisSpec { intersection_depth: Some(1), ..AnalysisSpec::new("y", all) });
        let codes: Vec<&str> = faults.iter().map(|fault| fault.code.as_str()).collect();
        assert_eq!(codes, ["too_many", "too_many_attributes"]);
    }
}
