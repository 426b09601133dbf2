//! What two analyses asked differently, and what that does to their numbers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    AnalysisSpec, disparities,
    result::{AnalysisResult, PredictionSource},
};

/// Something that two analyses asked differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What, such as `target` or `thresholds/demographic_parity_difference`.
    pub field: String,
    /// What it was.
    pub baseline: String,
    /// What it is now.
    pub current: String,
    /// What that does.
    pub effect: Effect,
    /// What that means.
    pub sentence: String,
}

/// What a difference of specs does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The numbers mean something else.
    Numbers,
    /// The numbers mean the same, but are judged differently.
    Verdicts,
    /// Good to know.
    Note,
}

/// All that was asked differently, the gravest first.
pub(super) fn differences(baseline: &AnalysisResult, current: &AnalysisResult) -> Vec<Difference> {
    let (was, is) = (&baseline.spec, &current.spec);
    let mut found = Found(Vec::new());
    found.add(
        "target",
        &was.target,
        &is.target,
        Effect::Numbers,
        "the labels are another column's",
    );
    found.add(
        "positive_label",
        &baseline.labels.positive,
        &current.labels.positive,
        Effect::Numbers,
        "another label counts as positive",
    );
    found.add(
        "prediction_source",
        &source(baseline.labels.prediction),
        &source(current.labels.prediction),
        Effect::Numbers,
        "what counts as selected comes from elsewhere",
    );
    found.add(
        "weight",
        &named(was.weight.as_ref()),
        &named(is.weight.as_ref()),
        Effect::Numbers,
        "rows count by other weights",
    );
    found.add(
        "score_threshold",
        &rule(baseline),
        &rule(current),
        Effect::Note,
        "predictions are made by another threshold",
    );
    for (field, old, new) in
        [("prediction", &was.prediction, &is.prediction), ("score", &was.score, &is.score)]
    {
        let what = "another column is measured";
        found.add(field, &named(old.as_ref()), &named(new.as_ref()), Effect::Note, what);
    }
    found.add(
        "analysis_type",
        was.analysis_type.as_str(),
        is.analysis_type.as_str(),
        Effect::Verdicts,
        "other disparities are judged",
    );
    found.add(
        "strata",
        &named(was.strata.as_ref()),
        &named(is.strata.as_ref()),
        Effect::Verdicts,
        "groups are compared within other strata, or within none",
    );
    thresholds(&mut found, was, is);
    found.add(
        "confidence",
        &was.confidence.to_string(),
        &is.confidence.to_string(),
        Effect::Verdicts,
        "intervals of two confidences cannot tell a change from noise",
    );
    found.add(
        "min_group_size",
        &was.min_group_size.to_string(),
        &is.min_group_size.to_string(),
        Effect::Note,
        "other groups may be too small to be compared",
    );
    found.add(
        "engine_version",
        &baseline.engine_version,
        &current.engine_version,
        Effect::Note,
        "another version of the engine computed them",
    );
    let mut found = found.0;
    found.sort_by_key(|difference| match difference.effect {
        Effect::Numbers => 0,
        Effect::Verdicts => 1,
        Effect::Note => 2,
    });
    found
}

fn thresholds(found: &mut Found, was: &AnalysisSpec, is: &AnalysisSpec) {
    let id = |name: &String| disparities::find(name).map_or(name.clone(), |one| one.id.clone());
    let of = |spec: &AnalysisSpec, wanted: &str| {
        spec.thresholds
            .iter()
            .find(|(name, _)| id(name) == wanted)
            .map_or_else(|| "default".to_owned(), |(_, threshold)| threshold.to_string())
    };
    let names: BTreeSet<String> =
        was.thresholds.keys().chain(is.thresholds.keys()).map(id).collect();
    for name in names {
        let field = format!("thresholds/{name}");
        let what = "what is accepted is not the same";
        found.add(&field, &of(was, &name), &of(is, &name), Effect::Verdicts, what);
    }
}

struct Found(Vec<Difference>);

impl Found {
    fn add(&mut self, field: &str, baseline: &str, current: &str, effect: Effect, what: &str) {
        if baseline != current {
            self.0.push(Difference {
                field: field.to_owned(),
                baseline: baseline.to_owned(),
                current: current.to_owned(),
                effect,
                sentence: format!("{field} was {baseline} and is {current}: {what}."),
            });
        }
    }
}

fn named(column: Option<&String>) -> String {
    column.map_or_else(|| "none".to_owned(), |column| format!("`{column}`"))
}

fn source(source: PredictionSource) -> String {
    match source {
        PredictionSource::Column => "a column of predictions",
        PredictionSource::Score => "the score",
        PredictionSource::None => "the labels alone",
    }
    .to_owned()
}

/// The threshold of the score, where predictions follow from it.
fn rule(result: &AnalysisResult) -> String {
    match result.labels.prediction {
        PredictionSource::Score => result.spec.score_threshold.to_string(),
        PredictionSource::Column | PredictionSource::None => "not used".to_owned(),
    }
}
