//! Readers of models' files. None of them runs what it reads.

mod field;
mod lightgbm;
mod sets;
mod xgboost;

use serde::{Deserialize, Serialize};

use crate::{Malformed, Model};

/// How a model is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// XGBoost's JSON, as `save_model("model.json")` writes it.
    XgboostJson,
    /// LightGBM's text, as `save_model("model.txt")` writes it.
    LightgbmText,
}

/// Reads a model; its format is told by its content.
///
/// # Errors
/// Says what is wrong with the file, and where.
pub fn read(content: &[u8]) -> Result<(Format, Model), Malformed> {
    match format(content) {
        Some(Format::XgboostJson) => Ok((Format::XgboostJson, Model::Forest(xgboost::read(content)?))),
        Some(Format::LightgbmText) => Ok((Format::LightgbmText, Model::Forest(lightgbm::read(content)?))),
        None => Err(Malformed::new("the file", "it is no model that can be read here.").hint(
            "XGBoost's JSON (save_model(\"model.json\")) and LightGBM's text (save_model(\"model.txt\")) can be.",
        )),
    }
}

fn format(content: &[u8]) -> Option<Format> {
    let text = content.trim_ascii_start();
    if text.starts_with(b"{") {
        Some(Format::XgboostJson)
    } else if text.starts_with(b"tree\n") || text.starts_with(b"tree\r\n") {
        Some(Format::LightgbmText)
    } else {
        None
    }
}
