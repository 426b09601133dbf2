//! From the rows to the card.

use chrono::{DateTime, Utc};
use ephor_kernel::{AnalysisId, Clock, ModelId, Problem, SystemClock};
use ephor_store::{OrgTx, StoreError};
use serde_json::{Map, Value};

use super::{Details, ModelCard, Quantities, Stated, index, latest, quantities};
use crate::{
    analysis::{Completed, completed_get},
    trend::{Point, model_points},
};

/// The card of a model. What analyses measured is in it for who may read analyses.
///
/// # Errors
/// `not_found`.
pub async fn model_card(tx: &mut OrgTx, id: ModelId) -> Result<ModelCard, Problem> {
    let (details, metadata) = details(tx, id).await?;
    let now = SystemClock.now();
    if !tx.scope().permissions().allows("bias_analyses", "read") {
        let mut card = ModelCard::new(details, &metadata, Vec::new(), None, now);
        card.caveats = vec![
            "Analyses are left out: whoever asked for this card may not read them.".to_owned(),
        ];
        return Ok(card);
    }
    let (points, _) = model_points(tx, id).await?;
    let measured = match latest(tx, id).await? {
        Some(analysis) => Some(completed_get(tx, analysis).await?),
        None => None,
    };
    Ok(ModelCard::new(details, &metadata, points, measured.as_ref(), now))
}

impl ModelCard {
    /// The card of a model with these details and metadata, of whose analyses `measured` is the
    /// latest and `trend` has all.
    pub fn new(
        details: Details,
        metadata: &Value,
        trend: Vec<Point>,
        measured: Option<&Completed>,
        created_at: DateTime<Utc>,
    ) -> Self {
        let mut caveats = Vec::new();
        let found = measured.map(|completed| {
            let found = Quantities::of(completed, version_of(&trend, completed.analysis.id));
            caveats = quantities::caveats(&completed.result, &found);
            caveats.extend(other_version(&details, &found));
            found
        });
        if found.is_none() {
            caveats.push("No completed analysis of this model is kept.".to_owned());
        }
        Self {
            model_index: found.as_ref().and_then(|found| index::of(&details, found)),
            model_details: details,
            stated: Stated::of(metadata),
            quantitative_analyses: found,
            trend,
            caveats,
            created_at,
        }
    }
}

fn version_of(trend: &[Point], analysis: AnalysisId) -> Option<String> {
    trend.iter().find(|point| point.analysis_id == analysis)?.semantic_version.clone()
}

/// What was measured may not be what is in force.
fn other_version(details: &Details, found: &Quantities) -> Option<String> {
    match &found.model_version {
        Some(version) if *version == details.version => None,
        Some(version) => Some(format!(
            "The analysis measured version {version}; the version in force is {}.",
            details.version
        )),
        None => Some("Which version of the model the analysis measured was not noted.".to_owned()),
    }
}

async fn details(tx: &mut OrgTx, id: ModelId) -> Result<(Details, Value), Problem> {
    let row = sqlx::query!(
        r#"select m.name, m.description, m.model_type, m.status, m.semantic_version, m.schema, m.metadata,
                  m.created_at, v.created_at as "version_at?", f.name as "base?", f.provider as "provider?"
             from registry.models m
             left join registry.model_versions v
               on v.organization_id = $1 and v.model_id = m.id and v.semantic_version = m.semantic_version
             left join registry.frontier_models f on f.id = m.frontier_model_id
            where m.organization_id = $1 and m.id = $2"#,
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("model"))?;
    let metadata = row.metadata;
    let details = Details {
        id,
        name: row.name,
        description: Some(row.description.trim().to_owned()).filter(|text| !text.is_empty()),
        model_type: row.model_type,
        status: row.status,
        version: row.semantic_version,
        version_date: row.version_at.map(|at| at.date_naive()),
        base_model: row.base.map(|name| match row.provider {
            Some(provider) => format!("{name} ({provider})"),
            None => name,
        }),
        schema: Some(row.schema).filter(|schema| !schema.as_object().is_none_or(Map::is_empty)),
        registered_at: row.created_at,
    };
    Ok((details, metadata))
}
