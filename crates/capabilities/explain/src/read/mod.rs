//! Readers of models' files. None of them runs what it reads.

mod budget;
mod field;
mod json;
mod lightgbm;
mod onnx;
mod room;
mod sets;
mod sklearn;
mod ubjson;
mod value;
mod xgboost;

use crate::{Malformed, Model};
use serde::{Deserialize, Serialize};

/// How a model is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// XGBoost's JSON, as `save_model("model.json")` writes it.
    XgboostJson,
    /// XGBoost's UBJSON, as `save_model("model.ubj")` writes it.
    XgboostUbjson,
    /// LightGBM's text, as `save_model("model.txt")` writes it.
    LightgbmText,
    /// Parameters of scikit-learn's models as JSON: docs/explain.md says how they are written.
    SklearnJson,
    /// ONNX, as skl2onnx and onnxmltools write it.
    Onnx,
}

/// Reads a model; its format is told by its content.
///
/// # Errors
/// Says what is wrong with the file, and where.
pub fn read(content: &[u8]) -> Result<(Format, Model), Malformed> {
    let text = content.trim_ascii_start();
    if json::is_ubjson(content) {
        Ok((Format::XgboostUbjson, Model::Forest(xgboost::read(&ubjson::parse(content)?)?)))
    } else if text.starts_with(b"{") {
        let value = json::parse(content)?;
        if value.get("kind").is_some_and(value::Value::is_text) {
            Ok((Format::SklearnJson, sklearn::read(&value)?))
        } else {
            Ok((Format::XgboostJson, Model::Forest(xgboost::read(&value)?)))
        }
    } else if text.starts_with(b"tree\n") || text.starts_with(b"tree\r\n") {
        Ok((Format::LightgbmText, Model::Forest(lightgbm::read(content)?)))
    } else if onnx::is(content) {
        Ok((Format::Onnx, onnx::read(content)?))
    } else if is_pickle(content) {
        Err(Malformed::new("the file", "it is a pickle, which can run code; none is ever read.")
            .hint("Write the model as ONNX, or as the origin's own JSON or text: docs/explain.md says how."))
    } else {
        Err(Malformed::new("the file", "it is no model that can be read here.").hint(
            "XGBoost's JSON and UBJSON (save_model(\"model.json\"), \"model.ubj\"), LightGBM's text (save_model(\"model.txt\")), \
             ONNX, and scikit-learn's parameters as JSON can be.",
        ))
    }
}

/// The protocols 2 to 5 of Python's pickle; joblib writes the same, or packs it.
fn is_pickle(content: &[u8]) -> bool {
    matches!(content, [0x80, 2..=5, ..])
}
