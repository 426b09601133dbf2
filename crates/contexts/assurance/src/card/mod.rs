//! A model's card, in the shape of Mitchell et al., "Model Cards for Model Reporting" (2019): what
//! its registry entry says of it, and what the latest analysis measured. Nothing is made up: what
//! nobody stated is not stated.

mod collect;
mod index;
mod markdown;
mod quantities;
mod stated;

use chrono::{DateTime, NaiveDate, Utc};
use ephor_kernel::ModelId;
use serde::Serialize;
use serde_json::Value;

pub use collect::model_card;
pub use quantities::{CardAttribute, CardDisparity, CardGroup, CardMetric, Quantities, latest};
pub use stated::Stated;

use crate::trend::Point;

/// What stands where nobody stated anything.
pub const NOT_STATED: &str = "not stated";

/// A model card.
#[derive(Debug, Clone, Serialize)]
pub struct ModelCard {
    /// What the model is.
    pub model_details: Details,
    /// What its owner stated about its use, data and limits.
    #[serde(flatten)]
    pub stated: Stated,
    /// What the latest analysis measured; none without one, or for who may not read analyses.
    pub quantitative_analyses: Option<Quantities>,
    /// The completed analyses, in the order of the model's versions.
    pub trend: Vec<Point>,
    /// What to know before relying on the numbers.
    pub caveats: Vec<String>,
    /// The results as hubs of models read them (`model-index`); none without any.
    #[serde(rename = "model-index")]
    pub model_index: Option<Value>,
    /// When the card was made.
    pub created_at: DateTime<Utc>,
}

/// What the model is, as the registry has it.
#[derive(Debug, Clone, Serialize)]
pub struct Details {
    /// The model.
    pub id: ModelId,
    /// Its name.
    pub name: String,
    /// What it does and for whom; none when its entry does not say.
    pub description: Option<String>,
    /// classification, regression, ….
    pub model_type: String,
    /// draft, active, deprecated or archived.
    pub status: String,
    /// The version in force.
    pub version: String,
    /// Since when that version is in force; none when it is not kept.
    pub version_date: Option<NaiveDate>,
    /// The frontier model that it is made from, with its provider.
    pub base_model: Option<String>,
    /// Its inputs and outputs; none when its entry does not say.
    pub schema: Option<Value>,
    /// When it was registered.
    pub registered_at: DateTime<Utc>,
}
