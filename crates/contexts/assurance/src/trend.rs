//! How fair a model was, version after version: its completed analyses as lines.

use chrono::{DateTime, Utc};
use ephor_fairness::{catalogue, task::Task};
use ephor_kernel::{AnalysisId, DatasetId, ModelId, ModelVersionId, Problem};
use ephor_store::{OrgTx, StoreError};
use indexmap::IndexMap;
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

/// The most analyses that a trend holds: the latest.
pub const MOST_POINTS: usize = 100;
/// The most lines; with more, a metric has to be chosen.
pub const MOST_LINES: usize = 200;

/// What a model's analyses found, in the order of its versions.
#[derive(Debug, Clone, Serialize)]
pub struct Trend {
    /// The model.
    pub model_id: ModelId,
    /// Its name.
    pub model: String,
    /// The disparity that alone was asked for.
    pub metric: Option<String>,
    /// The analyses: by version, then by the time of their completion. Those of no known version
    /// come first.
    pub points: Vec<Point>,
    /// One line for each protected attribute and judged disparity.
    pub lines: Vec<Line>,
    /// There are earlier analyses, or more lines, that were left out.
    pub truncated: bool,
}

/// One completed analysis.
#[derive(Debug, Clone, Serialize)]
pub struct Point {
    /// The analysis.
    pub analysis_id: AnalysisId,
    /// Its name.
    pub name: String,
    /// When it completed.
    pub completed_at: DateTime<Utc>,
    /// The model's version; none for analyses from before versions were noted.
    pub model_version_id: Option<ModelVersionId>,
    /// The version's number.
    pub semantic_version: Option<String>,
    /// The data set.
    pub dataset_id: Option<DatasetId>,
    /// What the model predicts: binary, regression, multiclass or ranking.
    pub task: String,
    /// pass, warning or fail; none when an imported analysis does not say.
    pub outcome: Option<String>,
    /// 0 to 100; only of the task binary.
    pub compliance_score: Option<Decimal>,
    /// Disparities beyond their threshold.
    pub failed_count: Option<i32>,
    /// Disparities beyond their threshold, but within noise.
    pub warning_count: Option<i32>,
}

/// One disparity of one attribute over the analyses.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// What the model predicts: values of two tasks are two lines.
    pub task: String,
    /// The protected attribute.
    pub attribute: String,
    /// The disparity.
    pub metric: String,
    /// Its name for people.
    pub title: String,
    /// Its value without any disparity: 0 or 1; none for a metric that Ephor does not know.
    pub ideal: Option<f64>,
    /// Its values, in the order of the points; analyses that did not judge it have none.
    pub marks: Vec<Mark>,
}

/// A disparity in one analysis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mark {
    /// The analysis.
    pub analysis_id: AnalysisId,
    /// The value; none when it is undefined.
    pub value: Option<f64>,
    /// Lower bound of its interval.
    pub interval_low: Option<f64>,
    /// Upper bound of its interval.
    pub interval_high: Option<f64>,
    /// How far from ideal was accepted.
    pub threshold: Option<f64>,
    /// pass, warning or fail.
    pub status: Option<String>,
    /// Why it is undefined.
    pub undefined_reason: Option<String>,
}

/// The trend of a model: of one disparity, or of all that were judged.
///
/// # Errors
/// `not_found`.
pub async fn model_trend(
    tx: &mut OrgTx,
    model: ModelId,
    metric: Option<&str>,
) -> Result<Trend, Problem> {
    let organization = tx.organization().uuid();
    let name = sqlx::query_scalar!(
        "select name from registry.models where organization_id = $1 and id = $2",
        organization,
        model.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("model"))?;
    let (points, mut truncated) = model_points(tx, model).await?;
    let mut lines = lines(tx, &points, metric).await?;
    truncated |= lines.len() > MOST_LINES;
    lines.truncate(MOST_LINES);
    let metric = metric.map(str::to_owned);
    Ok(Trend { model_id: model, model: name, metric, points, lines, truncated })
}

/// The latest completed analyses of a model in the order of its versions, and whether there are earlier ones.
pub(crate) async fn model_points(
    tx: &mut OrgTx,
    model: ModelId,
) -> Result<(Vec<Point>, bool), Problem> {
    let mut points = points(tx, model).await?;
    let truncated = points.len() > MOST_POINTS;
    points.truncate(MOST_POINTS);
    points.reverse();
    Ok((points, truncated))
}

/// The latest first, and one more than a trend holds.
async fn points(tx: &mut OrgTx, model: ModelId) -> Result<Vec<Point>, Problem> {
    let rows = sqlx::query!(
        r#"select a.id, a.name, a.completed_at as "completed_at!", a.model_version_id,
                  v.semantic_version as "semantic_version?", a.dataset_id, a.task, a.outcome, a.compliance_score,
                  a.failed_count, a.warning_count
             from assurance.bias_analyses a
             left join registry.model_versions v on v.organization_id = $1 and v.id = a.model_version_id
            where a.organization_id = $1 and a.model_id = $2 and a.status = 'completed'
              and a.completed_at is not null
            order by string_to_array(v.semantic_version, '.')::numeric[] desc nulls last,
                     a.completed_at desc, a.id desc
            limit $3"#,
        tx.organization().uuid(),
        model.uuid(),
        MOST_POINTS as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await
    .map_err(StoreError::from)?;
    Ok(rows
        .into_iter()
        .map(|row| Point {
            analysis_id: row.id.into(),
            name: row.name,
            completed_at: row.completed_at,
            model_version_id: row.model_version_id.map(Into::into),
            semantic_version: row.semantic_version,
            dataset_id: row.dataset_id.map(Into::into),
            task: row.task,
            outcome: row.outcome,
            compliance_score: row.compliance_score,
            failed_count: row.failed_count,
            warning_count: row.warning_count,
        })
        .collect())
}

/// The judged disparities of protected attributes, not of where they meet, nor of single classes: those are
/// many, and each analysis has them.
async fn lines(
    tx: &mut OrgTx,
    points: &[Point],
    metric: Option<&str>,
) -> Result<Vec<Line>, Problem> {
    let analyses: Vec<Uuid> = points.iter().map(|point| point.analysis_id.uuid()).collect();
    let rows = sqlx::query!(
        r#"select r.analysis_id, a.task, r.attribute, r.metric_name, r.score, r.interval_low, r.interval_high,
                  r.threshold, r.status, r.undefined_reason
             from assurance.bias_analysis_results r
             join assurance.bias_analyses a on a.organization_id = $1 and a.id = r.analysis_id
            where r.organization_id = $1 and r.analysis_id = any($2) and r.threshold is not null
              and a.parameters -> 'protected' ? r.attribute and not r.additional_data ? 'class'
              and ($3::text is null or r.metric_name = $3)
            order by array_position($2, r.analysis_id), r.position"#,
        tx.organization().uuid(),
        &analyses,
        metric,
    )
    .fetch_all(tx.conn())
    .await
    .map_err(StoreError::from)?;
    let mut lines: IndexMap<(String, String, String), Line> = IndexMap::new();
    for row in rows {
        let key = (row.task, row.attribute, row.metric_name);
        let line = lines.entry(key.clone()).or_insert_with(|| {
            let (task, attribute, metric) = key;
            let known = Task::named(&task).and_then(|task| catalogue::disparity(task, &metric));
            let (title, ideal) = known.unzip();
            Line {
                task,
                attribute,
                title: title.unwrap_or_else(|| ephor_rest::label(&metric)),
                ideal,
                metric,
                marks: Vec::new(),
            }
        });
        line.marks.push(Mark {
            analysis_id: row.analysis_id.into(),
            value: row.score.filter(|value| value.is_finite()),
            interval_low: row.interval_low.filter(|value| value.is_finite()),
            interval_high: row.interval_high.filter(|value| value.is_finite()),
            threshold: row.threshold.filter(|value| value.is_finite()),
            status: row.status,
            undefined_reason: row.undefined_reason,
        });
    }
    Ok(lines.into_values().collect())
}
