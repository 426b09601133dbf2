//! What the latest analysis measured, group by group, in the few numbers that a card has room for.

use chrono::{DateTime, Utc};
use ephor_fairness::{
    AnalysisResult, AttributeResult, Disparity, Group, Interval, Status, metrics,
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
    /// The column of labels.
    pub target: String,
    /// The label that counts as positive.
    pub positive_label: String,
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
#[derive(Debug, Clone, Serialize)]
pub struct CardGroup {
    /// Its name.
    pub name: String,
    /// Rows.
    pub n: u64,
    /// Too small to be compared.
    pub small: bool,
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
        Self {
            analysis_id: analysis.id,
            name: analysis.name.clone(),
            completed_at: analysis.completed_at,
            model_version,
            dataset: dataset.clone(),
            rows_read: result.rows.read,
            rows_used: result.rows.used,
            target: result.spec.target.clone(),
            positive_label: result.labels.positive.clone(),
            confidence: result.spec.confidence,
            outcome: result.status,
            compliance_score: analysis.compliance_score,
            overall: group(&result.overall),
            attributes: result.attributes.iter().map(attribute).collect(),
            engine_version: result.engine_version.clone(),
        }
    }
}

fn attribute(result: &AttributeResult) -> CardAttribute {
    let mut groups: Vec<&Group> = result.groups.iter().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.n));
    let more_groups = groups.len().saturating_sub(MOST_GROUPS);
    groups.truncate(MOST_GROUPS);
    CardAttribute {
        name: result.name.clone(),
        groups: groups.into_iter().map(group).collect(),
        more_groups,
        disparities: result
            .disparities
            .iter()
            .filter(|disparity| disparity.threshold.is_some())
            .map(disparity)
            .collect(),
    }
}

fn group(group: &Group) -> CardGroup {
    let shown = SHOWN.iter().filter_map(|id| group.metric(id)).map(|metric| CardMetric {
        id: metric.id.clone(),
        title: metrics::find(&metric.id)
            .map_or_else(|| ephor_rest::label(&metric.id), |known| known.title.to_string()),
        value: metric.value,
        interval: metric.interval.clone(),
    });
    CardGroup { name: group.name.clone(), n: group.n, small: group.small, metrics: shown.collect() }
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
pub(super) fn caveats(result: &AnalysisResult, quantities: &Quantities) -> Vec<String> {
    let mut caveats = result.warnings.clone();
    for exclusion in &result.excluded {
        caveats
            .push(format!("{}: {} rows. {}", exclusion.column, exclusion.rows, exclusion.sentence));
    }
    for attribute in &result.attributes {
        if let Some(reason) = attribute.reason.as_ref().filter(|_| !attribute.comparable) {
            caveats.push(format!("Groups of {} cannot be compared: {reason}", attribute.name));
        }
        let small = &attribute.small_groups;
        if !small.is_empty() {
            let mut names: Vec<String> =
                small.iter().take(8).map(|one| format!("{} ({})", one.group, one.n)).collect();
            if small.len() > names.len() {
                names.push(format!("and {} more", small.len() - names.len()));
            }
            caveats.push(format!(
                "Groups of {} with fewer than {} rows are in no disparity: {}.",
                attribute.name,
                result.spec.min_group_size,
                names.join(", ")
            ));
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
