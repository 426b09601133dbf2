//! What two analyses asked differently, and what that does to their numbers.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use crate::{
    disparities,
    frame::Grouping,
    multiclass::MulticlassReport,
    ranking::{RankingReport, RankingSpec},
    regression::{Loss, RegressionReport},
    result::{AnalysisResult, PredictionSource},
};

/// The most classes that a difference names.
const MOST_NAMED: usize = 20;

/// The field of a difference of classes.
pub(super) const CLASSES: &str = "classes";

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

/// All that was asked differently of yes or no, the gravest first.
pub(super) fn differences(baseline: &AnalysisResult, current: &AnalysisResult) -> Vec<Difference> {
    let (was, is) = (&baseline.spec, &current.spec);
    let mut found = Found(Vec::new());
    found.add(
        "target",
        was.target.as_deref().unwrap_or("none"),
        is.target.as_deref().unwrap_or("none"),
        Effect::Numbers,
        "the labels are another column's, or there are none",
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
    let id = |name: &str| disparities::find(name).map_or(name, |one| &one.id).to_owned();
    found.thresholds(&was.thresholds, &is.thresholds, id);
    found.add(
        "confidence",
        &was.confidence.to_string(),
        &is.confidence.to_string(),
        Effect::Verdicts,
        "intervals of two confidences cannot tell a change from noise",
    );
    found.sizes(was.min_group_size, is.min_group_size);
    found.engines(&baseline.engine_version, &current.engine_version);
    found.sorted()
}

/// The same of predicted numbers.
pub(super) fn of_numbers(
    baseline: &RegressionReport,
    current: &RegressionReport,
) -> Vec<Difference> {
    let (was, is) = (&baseline.spec, &current.spec);
    let mut found = Found(Vec::new());
    found.labelled(
        (was.target.as_str(), is.target.as_str()),
        (was.prediction.as_str(), is.prediction.as_str()),
    );
    found.add(
        "loss",
        loss(was.loss),
        loss(is.loss),
        Effect::Verdicts,
        "what a wrong prediction costs is counted otherwise",
    );
    let bound = |bound: Option<f64>| bound.map_or_else(|| "none".to_owned(), |it| it.to_string());
    found.add(
        "loss_bound",
        &bound(was.loss_bound),
        &bound(is.loss_bound),
        Effect::Verdicts,
        "what is accepted is not the same",
    );
    found.grouped(&was.groups, &is.groups);
    found.engines(&baseline.engine_version, &current.engine_version);
    found.sorted()
}

/// The same of predicted classes.
pub(super) fn of_classes(
    baseline: &MulticlassReport,
    current: &MulticlassReport,
) -> Vec<Difference> {
    let (was, is) = (&baseline.spec, &current.spec);
    let mut found = Found(Vec::new());
    found.labelled(
        (was.target.as_str(), is.target.as_str()),
        (was.prediction.as_str(), is.prediction.as_str()),
    );
    found.add(
        CLASSES,
        &listed(&baseline.classes, &current.classes),
        &listed(&current.classes, &baseline.classes),
        Effect::Note,
        "averages over the classes, and the worst of them, are of other ones",
    );
    found.grouped(&was.groups, &is.groups);
    found.engines(&baseline.engine_version, &current.engine_version);
    found.sorted()
}

/// The same of ranked lists.
pub(super) fn of_lists(baseline: &RankingReport, current: &RankingReport) -> Vec<Difference> {
    let (was, is) = (&baseline.spec, &current.spec);
    let mut found = Found(Vec::new());
    found.add(
        "list",
        &named(was.list.as_ref()),
        &named(is.list.as_ref()),
        Effect::Numbers,
        "rows are of other lists",
    );
    found.add(
        "top",
        &was.top.to_string(),
        &is.top.to_string(),
        Effect::Numbers,
        "shares of the top are of more or fewer rows of each list",
    );
    let order = |spec: &RankingSpec| match (&spec.position, &spec.score) {
        (Some(position), _) => format!("the positions `{position}`"),
        (None, score) => format!("the scores {}", named(score.as_ref())),
    };
    found.add("order", &order(was), &order(is), Effect::Note, "another column orders the lists");
    found.grouped(&was.groups, &is.groups);
    found.engines(&baseline.engine_version, &current.engine_version);
    found.sorted()
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

    /// Columns of what is true and what is predicted.
    fn labelled(&mut self, target: (&str, &str), prediction: (&str, &str)) {
        let what = "the labels are another column's";
        self.add("target", target.0, target.1, Effect::Numbers, what);
        let quoted = |name: &str| format!("`{name}`");
        self.add(
            "prediction",
            &quoted(prediction.0),
            &quoted(prediction.1),
            Effect::Note,
            "another column is measured",
        );
    }

    /// What all tasks but yes or no ask in one way.
    fn grouped(&mut self, was: &Grouping, is: &Grouping) {
        self.add(
            "weight",
            &named(was.weight.as_ref()),
            &named(is.weight.as_ref()),
            Effect::Numbers,
            "rows count by other weights",
        );
        self.thresholds(&was.thresholds, &is.thresholds, str::to_owned);
        self.add(
            "confidence",
            &was.confidence.to_string(),
            &is.confidence.to_string(),
            Effect::Verdicts,
            "intervals of two confidences cannot tell a change from noise",
        );
        self.sizes(was.min_group_size, is.min_group_size);
    }

    fn thresholds(
        &mut self,
        was: &BTreeMap<String, f64>,
        is: &BTreeMap<String, f64>,
        id: impl Fn(&str) -> String,
    ) {
        let of = |all: &BTreeMap<String, f64>, wanted: &str| {
            all.iter()
                .find(|(name, _)| id(name) == wanted)
                .map_or_else(|| "default".to_owned(), |(_, threshold)| threshold.to_string())
        };
        let names: BTreeSet<String> = was.keys().chain(is.keys()).map(|name| id(name)).collect();
        for name in names {
            let field = format!("thresholds/{name}");
            let what = "what is accepted is not the same";
            self.add(&field, &of(was, &name), &of(is, &name), Effect::Verdicts, what);
        }
    }

    fn sizes(&mut self, was: u64, is: u64) {
        self.add(
            "min_group_size",
            &was.to_string(),
            &is.to_string(),
            Effect::Note,
            "other groups may be too small to be compared",
        );
    }

    fn engines(&mut self, was: &str, is: &str) {
        let what = "another version of the engine computed them";
        self.add("engine_version", was, is, Effect::Note, what);
    }

    fn sorted(self) -> Vec<Difference> {
        let mut found = self.0;
        found.sort_by_key(|difference| match difference.effect {
            Effect::Numbers => 0,
            Effect::Verdicts => 1,
            Effect::Note => 2,
        });
        found
    }
}

const fn loss(loss: Loss) -> &'static str {
    match loss {
        Loss::Squared => "squared",
        Loss::Absolute => "absolute",
    }
}

/// Names; of many the first, of which those that the other side does not have.
fn listed(names: &[String], other: &[String]) -> String {
    let mut shown: Vec<&str> = names.iter().map(String::as_str).collect();
    if names.len() > MOST_NAMED {
        let there: HashSet<&String> = other.iter().collect();
        let mut sorted: Vec<&String> = names.iter().collect();
        // Stable, so that two lists that differ are told apart by what they begin with.
        sorted.sort_by_key(|name| there.contains(name));
        shown = sorted.into_iter().take(MOST_NAMED).map(String::as_str).collect();
    }
    let more = names.len().saturating_sub(shown.len());
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(", "))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_classes_those_that_differ_are_named() {
        let names = |last: &str| -> Vec<String> {
            (0..30).map(|at| format!("{at:02}")).chain([last.to_owned()]).collect()
        };
        let (one, other) = (names("x"), names("y"));
        let told = listed(&one, &other);
        assert!(told.starts_with("x, 00, ") && told.ends_with(" and 11 more"), "{told}");
        assert!(listed(&other, &one).starts_with("y, 00, "));
        assert_eq!(listed(&one[..2], &other), "00, 01");
    }
}
