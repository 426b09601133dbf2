//! Ranked lists: is each group seen as much as the others?
//!
//! Lists are read one after another, ordered by their id; other machines read them in whatever order. Of each, a row's exposure
//! follows from its rank; sums of it by combination of attributes, in at most 512 blocks of lists, are all that is kept. Which block
//! a list is in follows from its name. Lists are what is drawn at random: intervals are of the variation between them.

mod gathered;
mod lists;
mod metrics;
mod ndkl;
mod one_list;
mod parity;
mod spec;

use datafusion::prelude::DataFrame;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{
    AnalysisError, ENGINE_VERSION, Rows, StatusCounts,
    frame::{Findings, GroupReader, Joined, Measured, Quantity, compare, excluded, line},
    gather::{Question, gather_lists},
    off_thread::off_thread,
};
pub(crate) use gathered::ManyLists;
use gathered::State;
pub use lists::{MAX_BLOCKS, MAX_LIST};
use metrics::Seen;
pub use metrics::{DISPARITIES, METRICS};
pub(crate) use one_list::OneList;
pub use spec::RankingSpec;

/// What an analysis of ranked lists found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankingReport {
    /// What was asked for.
    pub spec: RankingSpec,
    /// Version of this engine.
    pub engine_version: String,
    /// Lists read.
    pub lists: u64,
    /// What was found.
    #[serde(flatten)]
    pub findings: Findings,
}

/// Analyses ranked lists: one pass over the data, ordered by list, in bounded memory.
///
/// # Errors
/// As [`analyze`](crate::analyze).
pub async fn analyze(
    table: DataFrame,
    spec: &RankingSpec,
    cancel: &CancellationToken,
) -> Result<RankingReport, AnalysisError> {
    let faults = spec.faults(table.schema().as_arrow());
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    let columns: Vec<&str> = GroupReader::columns(&spec.groups).chain([spec.order().0]).collect();
    let questions = || [Question::List(spec.clone()), Question::Lists(spec.clone())];
    let (list, state) = (spec.list.as_deref(), State::new(spec));
    let mut state = gather_lists(table, &columns, list, questions, state, cancel).await?;
    off_thread(move || {
        state.lists.finish();
        state.report()
    })
    .await
}

impl State {
    fn report(self) -> Result<RankingReport, AnalysisError> {
        let Self { spec, groups, lists, missing } = self;
        let used = lists.rows;
        if let Some(nothing) = groups.nothing(used, used as f64) {
            return Err(nothing);
        }
        let everybody = Seen::of(&lists, &groups.by_name());
        let quantities: Vec<Quantity<'_>> =
            METRICS.iter().map(crate::frame::About::quantity).collect();
        let (groupings, mut notes) = groups.groupings();
        let confidence = spec.groups.confidence;
        let (mut faults, mut comparisons) = (Vec::new(), Vec::new());
        for attributes in &groupings {
            let joined: Vec<Joined> = groups.groups(attributes);
            let seen: Vec<Seen> =
                joined.iter().map(|group| Seen::of(&lists, &group.cells)).collect();
            let both = joined.iter().zip(&seen).filter(|(_, seen)| seen.n > 0);
            let (measured, seen): (Vec<Measured>, Vec<&Seen>) = both
                .map(|(group, seen)| (measured(group, seen, &everybody, confidence), seen))
                .unzip();
            let names = groups.names(attributes);
            // Groups share their lists: what is sure of one group alone says nothing of two.
            let mut comparison =
                compare(names, &measured, &quantities, &spec.groups, false, &mut faults);
            let exposures = parity::judged(&measured, &seen, &spec);
            comparison.disparities.retain(|one| exposures.iter().all(|found| found.id != one.id));
            comparison.disparities.splice(0..0, exposures);
            if let [attribute] = attributes[..] {
                let draft = ndkl::draft(&lists, attribute, &measured, confidence);
                comparison.disparities.push(draft.judged(&spec.groups));
            }
            comparison.status = comparison.disparities.iter().filter_map(|one| one.status).max();
            comparisons.push(comparison);
        }
        if !faults.is_empty() {
            return Err(AnalysisError::Invalid(faults));
        }
        if lists.count < 2 {
            notes.push("There is only one list: nothing says how another would be, so that there are no intervals, and nothing fails.".to_owned());
        }
        let all = Joined { values: Vec::new(), name: "all".to_owned(), cells: Vec::new() };
        let findings = Findings {
            rows: Rows { read: groups.rows, used, weight: used as f64, effective: used as f64 },
            excluded: (missing > 0)
                .then(|| excluded("missing_rank", spec.order().0, missing, "have no finite number"))
                .into_iter()
                .collect(),
            overall: line(
                &measured(&all, &everybody, &everybody, confidence),
                &quantities,
                false,
                confidence,
            ),
            comparisons,
            notes,
            counts: StatusCounts::default(),
            status: None,
        };
        Ok(RankingReport {
            lists: lists.count,
            spec,
            engine_version: ENGINE_VERSION.to_owned(),
            findings: findings.judged(&[]),
        })
    }
}

fn measured(group: &Joined, seen: &Seen, everybody: &Seen, confidence: f64) -> Measured {
    Measured {
        values: group.values.clone(),
        name: group.name.clone(),
        n: seen.n,
        weight: seen.n as f64,
        metrics: seen.metrics(everybody, confidence),
    }
}
