//! What the latest analysis measured, group by group, in the few numbers that a card has room for.

use chrono::{DateTime, Utc};
use ephor_fairness::{
    AnalysisResult, AttributeResult, Disparity, Exclusion, Group, Interval, MetricValue,
    NotCompared, SmallGroup, Status, catalogue, frame, metrics,
    task::{Task, TaskResult},
};
use ephor_kernel::{AnalysisId, ModelId, Problem};
use ephor_store::{OrgTx, StoreError};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::analysis::Completed;

/// The metrics of a group that a card shows, those that there are.
const SHOWN: [&str; 9] =
    ["base_rate", "selection_rate", "tpr", "fpr", "ppv", "accuracy", "roc_auc", "mae", "mse"];
/// The most groups of an attribute that a card shows: the largest.
const MOST_GROUPS: usize = 40;

/// What an analysis measured.
#[derive(Debug, Clone, Serialize)]
pub struct Quantities {
    /// The analysis.
    pub analysis_id: AnalysisId,
    /// Its name.
    pub name: String,
    /// When it completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// The version of the model that it measured, if that is known.
    pub model_version: Option<String>,
    /// The data set's name, if the reader may see data sets.
    pub dataset: Option<String>,
    /// Rows of the data.
    pub rows_read: u64,
    /// Rows that took part.
    pub rows_used: u64,
    /// What the model predicts.
    pub task: Task,
    /// The column of labels, true numbers or true classes; none of ranked lists.
    pub target: Option<String>,
    /// The label that counts as positive; none of other tasks than yes or no.
    pub positive_label: Option<String>,
    /// The confidence of the intervals.
    pub confidence: f64,
    /// pass, warning or fail.
    pub outcome: Option<Status>,
    /// 0 to 100.
    pub compliance_score: Option<Decimal>,
    /// Everybody together.
    pub overall: CardGroup,
    /// Each protected attribute.
    pub attributes: Vec<CardAttribute>,
    /// The engine's version.
    pub engine_version: String,
}

/// A protected attribute.
#[derive(Debug, Clone, Serialize)]
pub struct CardAttribute {
    /// Its name.
    pub name: String,
    /// Its groups, the largest first.
    pub groups: Vec<CardGroup>,
    /// How many smaller groups are left out here.
    pub more_groups: usize,
    /// Its judged disparities.
    pub disparities: Vec<CardDisparity>,
}

/// A group.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CardGroup {
    /// Its name.
    pub name: String,
    /// Rows.
    pub n: u64,
    /// It is compared with no other.
    pub small: bool,
    /// Why; none if it is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_compared: Option<NotCompared>,
    /// Its metrics.
    pub metrics: Vec<CardMetric>,
}

/// A metric of a group.
#[derive(Debug, Clone, Serialize)]
pub struct CardMetric {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// None when undefined.
    pub value: Option<f64>,
    /// Its interval.
    pub interval: Option<Interval>,
}

/// A judged disparity.
#[derive(Debug, Clone, Serialize)]
pub struct CardDisparity {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// None when undefined.
    pub value: Option<f64>,
    /// Its interval.
    pub interval: Option<Interval>,
    /// How far from ideal is accepted.
    pub threshold: Option<f64>,
    /// pass, warning or fail.
    pub status: Option<Status>,
    /// Why it is undefined.
    pub undefined: Option<String>,
}

impl Quantities {
    pub(super) fn of(completed: &Completed, model_version: Option<String>) -> Self {
        let Completed { analysis, result, dataset } = completed;
        let rows = result.rows();
        let (target, confidence) = match result {
            TaskResult::Binary(result) => (result.spec.target.clone(), result.spec.confidence),
            TaskResult::Regression(report) => {
                (Some(report.spec.target.clone()), report.spec.groups.confidence)
            }
            TaskResult::Multiclass(report) => {
                (Some(report.spec.target.clone()), report.spec.groups.confidence)
            }
            TaskResult::Ranking(report) => (None, report.spec.groups.confidence),
        };
        let titles = titles(result.task());
        let (overall, attributes) = match (result.binary(), result.findings()) {
            (_, Some(findings)) => (
                line(&findings.overall, &titles),
                findings
                    .comparisons
                    .iter()
                    .filter(|comparison| comparison.attributes.len() == 1)
                    .map(|comparison| compared(comparison, &titles))
                    .collect(),
            ),
            (Some(result), None) => {
                let attributes = result.attributes.iter().map(|one| attribute(result, one));
                (group(&result.overall, None), attributes.collect())
            }
            (None, None) => (CardGroup::default(), Vec::new()),
        };
        Self {
            analysis_id: analysis.id,
            name: analysis.name.clone(),
            completed_at: analysis.completed_at,
            model_version,
            dataset: dataset.clone(),
            rows_read: rows.read,
            rows_used: rows.used,
            task: result.task(),
            target,
            positive_label: result.binary().map(|result| result.labels.positive.clone()),
            confidence,
            outcome: result.status(),
            compliance_score: analysis.compliance_score,
            overall,
            attributes,
            engine_version: result.engine_version().to_owned(),
        }
    }

    /// The column of labels and what counts as positive, for people.
    pub fn label(&self) -> Option<String> {
        let target = self.target.as_ref()?;
        Some(match &self.positive_label {
            Some(positive) => format!("{target} (positive: {positive})"),
            None => target.clone(),
        })
    }
}

fn attribute(all: &AnalysisResult, result: &AttributeResult) -> CardAttribute {
    let groups = result.groups.iter().map(|one| group(one, all.not_compared(result, one)));
    card_attribute(&result.name, groups.collect(), &result.disparities)
}

fn compared(comparison: &frame::Comparison, titles: &[(&str, &str)]) -> CardAttribute {
    let groups = comparison.groups.iter().map(|one| line(one, titles)).collect();
    card_attribute(&comparison.name, groups, &comparison.disparities)
}

fn card_attribute(
    name: &str,
    mut groups: Vec<CardGroup>,
    disparities: &[Disparity],
) -> CardAttribute {
    groups.sort_by_key(|group| std::cmp::Reverse(group.n));
    let more_groups = groups.len().saturating_sub(MOST_GROUPS);
    groups.truncate(MOST_GROUPS);
    CardAttribute {
        name: name.to_owned(),
        groups,
        more_groups,
        disparities: disparities
            .iter()
            .filter(|disparity| disparity.threshold.is_some())
            .map(disparity)
            .collect(),
    }
}

fn group(group: &Group, not_compared: Option<NotCompared>) -> CardGroup {
    let shown = SHOWN.iter().filter_map(|id| group.metric(id)).map(|metric| {
        let title = metrics::find(&metric.id)
            .map_or_else(|| ephor_rest::label(&metric.id), |known| known.title.to_string());
        card_metric(metric, title)
    });
    CardGroup {
        name: group.name.clone(),
        n: group.n,
        small: group.small,
        not_compared,
        metrics: shown.collect(),
    }
}

/// The metrics of a task, which are few.
fn titles(task: Task) -> Vec<(&'static str, &'static str)> {
    let kind = catalogue::kinds().into_iter().find(|kind| kind.id == task.as_str());
    kind.map_or_else(Vec::new, |kind| {
        kind.metrics.iter().map(|about| (about.id, about.title)).collect()
    })
}

fn line(line: &frame::Line, titles: &[(&str, &str)]) -> CardGroup {
    let shown = line.metrics.iter().map(|metric| {
        let known = titles.iter().find(|(id, _)| *id == metric.id);
        let title =
            known.map_or_else(|| ephor_rest::label(&metric.id), |(_, title)| (*title).to_owned());
        card_metric(metric, title)
    });
    CardGroup {
        name: line.name.clone(),
        n: line.n,
        small: line.small,
        not_compared: line.not_compared(),
        metrics: shown.collect(),
    }
}

fn card_metric(metric: &MetricValue, title: String) -> CardMetric {
    CardMetric {
        id: metric.id.clone(),
        title,
        value: metric.value,
        interval: metric.interval.clone(),
    }
}

fn disparity(disparity: &Disparity) -> CardDisparity {
    CardDisparity {
        id: disparity.id.clone(),
        title: disparity.title.clone(),
        value: disparity.value,
        interval: disparity.interval.clone(),
        threshold: disparity.threshold,
        status: disparity.status,
        undefined: disparity.undefined.clone(),
    }
}

/// What to know before relying on the numbers.
pub(super) fn caveats(result: &TaskResult, quantities: &Quantities) -> Vec<String> {
    let mut caveats = Vec::new();
    if let Some(result) = result.binary() {
        caveats.extend(result.warnings.iter().cloned());
        caveats.extend(result.excluded.iter().map(exclusion));
        for one in &result.attributes {
            let reason = one.reason.as_ref().filter(|_| !one.comparable);
            caveats.extend(not_compared(&one.name, reason));
            // What is counted together is not compared either, however many rows it has: a warning tells of it.
            let least = result.spec.min_group_size;
            let small: Vec<SmallGroup> =
                one.small_groups.iter().filter(|group| group.n < least).cloned().collect();
            caveats.extend(too_small(&one.name, &small, least));
        }
    }
    if let Some(findings) = result.findings() {
        caveats.extend(findings.notes.iter().cloned());
        caveats.extend(findings.excluded.iter().map(exclusion));
        for one in findings.comparisons.iter().filter(|one| one.attributes.len() == 1) {
            let reason = one.reason.as_ref().filter(|_| !one.comparable);
            caveats.extend(not_compared(&one.name, reason));
            let small = one.groups.iter().filter(|group| group.small);
            let small: Vec<SmallGroup> =
                small.map(|group| SmallGroup { group: group.name.clone(), n: group.n }).collect();
            caveats.extend(too_small(&one.name, &small, least(result)));
        }
    }
    for attribute in quantities.attributes.iter().filter(|one| one.more_groups > 0) {
        caveats.push(format!(
            "{} smaller groups of {} are in the analysis, but not listed here.",
            attribute.more_groups, attribute.name
        ));
    }
    caveats
}

fn exclusion(exclusion: &Exclusion) -> String {
    format!("{}: {} rows. {}", exclusion.column, exclusion.rows, exclusion.sentence)
}

fn not_compared(name: &str, reason: Option<&String>) -> Option<String> {
    reason.map(|reason| format!("Groups of {name} cannot be compared: {reason}"))
}

fn too_small(name: &str, small: &[SmallGroup], least: u64) -> Option<String> {
    if small.is_empty() {
        return None;
    }
    let mut names: Vec<String> =
        small.iter().take(8).map(|one| format!("{} ({})", one.group, one.n)).collect();
    if small.len() > names.len() {
        names.push(format!("and {} more", small.len() - names.len()));
    }
    Some(format!(
        "Groups of {name} with fewer than {least} rows are in no disparity: {}.",
        names.join(", ")
    ))
}

/// The least size of a group.
fn least(result: &TaskResult) -> u64 {
    match result {
        TaskResult::Binary(result) => result.spec.min_group_size,
        TaskResult::Regression(report) => report.spec.groups.min_group_size,
        TaskResult::Multiclass(report) => report.spec.groups.min_group_size,
        TaskResult::Ranking(report) => report.spec.groups.min_group_size,
    }
}

/// The latest analysis of the latest version of a model that Ephor itself completed.
///
/// # Errors
/// The database failed.
pub async fn latest(tx: &mut OrgTx, model: ModelId) -> Result<Option<AnalysisId>, Problem> {
    let found = sqlx::query_scalar!(
        "select a.id from assurance.bias_analyses a
           left join registry.model_versions v on v.organization_id = $1 and v.id = a.model_version_id
          where a.organization_id = $1 and a.model_id = $2 and a.status = 'completed' and a.origin = 'ephor'
            and a.metrics is not null
          order by string_to_array(v.semantic_version, '.')::numeric[] desc nulls last, a.completed_at desc, a.id desc
          limit 1",
        tx.organization().uuid(),
        model.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?;
    Ok(found.map(Into::into))
}
