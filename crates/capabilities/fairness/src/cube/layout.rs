//! What the function is given, and why it may refuse.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::limits;

/// More attributes than this are no layout: an analysis counts a few, and room is made for each before any data are seen.
const MAX_ATTRIBUTES: usize = 256;

/// Which arguments the function has after the layout: attributes, then label, prediction, score and weight if they are there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "each says whether one column is there")]
pub struct Layout {
    /// How many protected attributes.
    #[serde(deserialize_with = "few")]
    pub attributes: usize,
    /// Whether there is a label.
    #[serde(default = "yes")]
    pub label: bool,
    /// Whether there is a prediction.
    pub prediction: bool,
    /// Whether there is a score.
    pub score: bool,
    /// Whether there is a weight.
    pub weight: bool,
    /// The positive label, if it was named.
    pub positive: Option<String>,
    /// Without predictions, a score of at least this is one.
    pub threshold: f64,
}

const fn yes() -> bool {
    true
}

fn few<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    let count = usize::deserialize(from)?;
    if count > MAX_ATTRIBUTES {
        return Err(D::Error::custom("a cube has no so many attributes"));
    }
    Ok(count)
}

impl Layout {
    /// How many arguments it describes.
    pub fn arguments(&self) -> usize {
        self.attributes
            + usize::from(self.label)
            + usize::from(self.prediction)
            + usize::from(self.score)
            + usize::from(self.weight)
    }
}

/// The schema with its text columns as `Dictionary(Int32, Utf8)`.
///
/// A Parquet reader that is given it hands its dictionaries' codes to the cube, which then neither copies nor compares text:
/// five columns of 10 M rows take a fifth of the time. It must be the *reader's* schema
/// (`PartitionedFile::with_arrow_schema`). As the schema of a listing table alone, DataFusion 55 unpacks the text and packs it
/// again, which EXPLAIN does not show and which is slower than plain text.
pub fn dictionary_schema(schema: &Schema) -> Schema {
    let encoded = |field: &FieldRef| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            Arc::new(field.as_ref().clone().with_data_type(kind))
        }
        _ => Arc::clone(field),
    };
    Schema::new_with_metadata(
        schema.fields().iter().map(encoded).collect::<Vec<FieldRef>>(),
        schema.metadata().clone(),
    )
}

/// Why the cube cannot be made from these data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CubeError {
    /// An attribute has too many values.
    #[error("an attribute has more than {} values", limits::MAX_VALUES)]
    TooManyValues {
        /// Position of the attribute.
        attribute: usize,
    },
    /// An attribute's values are too long.
    #[error("the values of an attribute are longer than {} bytes together", limits::MAX_NAME_BYTES)]
    ValuesTooLong {
        /// Position of the attribute.
        attribute: usize,
    },
    /// The attributes have too many combinations.
    #[error("the attributes have more than {} combinations", limits::MAX_CELLS)]
    TooManyCells,
    /// The target has too many values to be a label.
    #[error("the target is no label: it has the values {}", .0.join(", "))]
    NoLabels(Vec<String>),
    /// The prediction has too many values to be a label.
    #[error("the prediction is no label: it has the values {}", .0.join(", "))]
    NoPredictions(Vec<String>),
    /// A batch could not be read.
    #[error("{0}")]
    Unreadable(String),
    /// An encoded cube is damaged.
    #[error("a cube's state is damaged: {0}")]
    Damaged(&'static str),
}

impl CubeError {
    /// Whether it is the data that make no cube, however often and wherever they are read.
    pub(crate) fn is_refusal(&self) -> bool {
        !matches!(self, Self::Unreadable(_) | Self::Damaged(_))
    }
}
