//! Explanations of models: why did a model answer what it answered?
//!
//! [`read()`] reads the file of a tree ensemble, as XGBoost or LightGBM writes it, into a [`Forest`]. A forest predicts what its
//! origin predicts, and [`shap::path_dependent()`] and [`shap::interventional`] say exactly what each feature adds to a prediction.

mod error;
pub mod model;
pub mod read;
pub mod rows;
mod scorer;
pub mod shap;

pub use error::{ExplainError, Malformed};
pub use model::{Forest, Linear, Link, Model};
pub use read::{Format, read};
pub use rows::Rows;
pub use scorer::Scorer;
pub use shap::Explanation;
pub use tokio_util::sync::CancellationToken;
