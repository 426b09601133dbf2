//! What a gate judges: an analysis of any task, and what was asked of it by name.

use std::collections::{BTreeMap, BTreeSet};

use super::Policy;
use crate::{
    AnalysisSpec, MAX_ATTRIBUTES,
    analysis::groupings,
    comparison::side::{Grouped, Side},
    disparities::{self, Definition, Kind},
    frame::Grouping,
    result::{AnalysisResult, PredictionSource, StatusCounts},
    task::{Task, TaskResult},
};

/// The disparity of predicted numbers that a bound of its own asks for.
const OF_LOSS: &str = "bounded_group_loss";

/// An analysis, as far as a gate needs to know it.
pub(super) struct Subject<'a> {
    pub side: Side<'a>,
    /// What was found of individuals: disparities alone, which no bound is about.
    pub people: Vec<Grouped<'a>>,
    /// Every attribute and combination that was to be analysed, whether it was or not.
    pub expected: Vec<String>,
    pub counts: StatusCounts,
    /// Rows read.
    pub read: u64,
    /// What the reader must know.
    pub notes: &'a [String],
    /// What the columns of an analysis of yes and no hold; `None` of other tasks.
    columns: Option<Columns>,
    /// The disparities that the spec names a threshold for, by their ids.
    named: BTreeSet<&'a str>,
}

/// Which columns an analysis of yes and no has.
#[derive(Debug, Clone, Copy)]
struct Columns {
    predictions: bool,
    scores: bool,
    strata: bool,
}

impl<'a> Subject<'a> {
    pub(super) fn of(result: &'a TaskResult) -> Self {
        match result {
            TaskResult::Binary(result) => Self::of_binary(result),
            TaskResult::Regression(report) => {
                let mut subject = Self::of_groups(result, &report.spec.groups);
                if report.spec.loss_bound.is_some() {
                    subject.named.insert(OF_LOSS);
                }
                subject
            }
            TaskResult::Multiclass(report) => Self::of_groups(result, &report.spec.groups),
            TaskResult::Ranking(report) => Self::of_groups(result, &report.spec.groups),
        }
    }

    pub(super) fn of_binary(result: &'a AnalysisResult) -> Self {
        let spec = &result.spec;
        let people = result.individual.iter().flat_map(|found| &found.findings.comparisons);
        Self {
            side: Side::of_binary(result),
            people: people.map(|one| Grouped::of_comparison(Task::Binary, None, one)).collect(),
            expected: expected(&spec.protected, spec.intersection_depth),
            counts: result.counts,
            read: result.rows.read,
            notes: &result.warnings,
            columns: Some(Columns::of(spec, result.labels.prediction)),
            named: spec.thresholds.keys().map(|name| canonical(name)).collect(),
        }
    }

    fn of_groups(result: &'a TaskResult, grouping: &'a Grouping) -> Self {
        Self {
            side: Side::of(result),
            people: Vec::new(),
            expected: expected(&grouping.protected, grouping.intersection_depth),
            counts: result.counts(),
            read: result.rows().read,
            notes: result.findings().map(|found| found.notes.as_slice()).unwrap_or_default(),
            columns: None,
            named: grouping.thresholds.keys().map(String::as_str).collect(),
        }
    }

    /// The single attributes, of all classes together.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &Grouped<'a>> {
        self.whole().filter(|one| one.attributes.len() == 1)
    }

    /// Attributes and combinations, of all classes together.
    pub(super) fn whole(&self) -> impl Iterator<Item = &Grouped<'a>> {
        self.side.groupings.iter().filter(|one| one.class.is_none())
    }

    /// All that has disparities.
    pub(super) fn groupings(&self) -> impl Iterator<Item = &Grouped<'a>> {
        self.side.groupings.iter().chain(&self.people)
    }

    /// The disparities whose thresholds somebody named: on the command line, or in the policy.
    pub(super) fn named(&'a self, policy: &'a Policy) -> Named<'a> {
        let mut everywhere = self.named.clone();
        everywhere.extend(policy.thresholds.keys().map(String::as_str));
        Named { everywhere, of_one: &policy.attribute_thresholds }
    }

    /// Why an attribute that was analysed has nothing of a disparity.
    pub(super) fn why_absent(&self, id: &str) -> String {
        let found = self.columns.zip(disparities::find(id));
        let lacking = found.and_then(|(columns, definition)| columns.lacking(definition));
        lacking.unwrap_or("this analysis does not compute it").to_owned()
    }
}

/// The id of a disparity of yes and no that may be named otherwise; any other name as it is.
fn canonical(name: &str) -> &str {
    disparities::find(name).map_or(name, |definition| &definition.id)
}

/// The names of attributes and their combinations. Of more attributes than any analysis takes, as an odd file may have, none.
fn expected(protected: &[String], depth: Option<usize>) -> Vec<String> {
    if protected.len() > MAX_ATTRIBUTES {
        return Vec::new();
    }
    let name = |set: Vec<usize>| {
        let names: Vec<&str> = set.into_iter().map(|at| protected[at].as_str()).collect();
        names.join("|")
    };
    groupings(protected.len(), depth).into_iter().map(name).collect()
}

impl Columns {
    fn of(spec: &AnalysisSpec, source: PredictionSource) -> Self {
        Self {
            predictions: source != PredictionSource::None,
            scores: spec.score.is_some(),
            strata: spec.strata.is_some(),
        }
    }

    /// What a disparity needs and the data do not have.
    fn lacking(self, definition: &Definition) -> Option<&'static str> {
        use crate::metrics::Needs;
        if !self.strata && matches!(definition.kind, Kind::Conditional { .. }) {
            return Some("no column of strata is named");
        }
        match definition.needs {
            Needs::Predictions | Needs::Decisions if !self.predictions => {
                Some("no column of predictions or of scores is named")
            }
            Needs::Scores | Needs::Ranking | Needs::Probabilities if !self.scores => {
                Some("no column of scores is named")
            }
            _ => None,
        }
    }
}

/// The disparities whose thresholds somebody named: what was asked for, and not only judged by default.
pub(super) struct Named<'a> {
    /// For every attribute and combination.
    pub everywhere: BTreeSet<&'a str>,
    /// For one.
    pub of_one: &'a BTreeMap<String, BTreeMap<String, f64>>,
}

impl<'a> Named<'a> {
    /// Whether the threshold of a disparity of this attribute, or combination, is one of them.
    pub(super) fn has(&self, name: &str, id: &str) -> bool {
        self.everywhere.contains(id)
            || self.of_one.get(name).is_some_and(|own| own.contains_key(id))
    }

    /// All of them that are of this attribute or combination.
    pub(super) fn of(&self, name: &str) -> BTreeSet<&'a str> {
        let own = self.of_one.get(name).into_iter().flat_map(BTreeMap::keys).map(String::as_str);
        self.everywhere.iter().copied().chain(own).collect()
    }
}
