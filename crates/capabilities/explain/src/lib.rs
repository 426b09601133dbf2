//! Explanations of models: why did a model answer what it answered?
//!
//! [`read()`] reads the file of a tree ensemble, as XGBoost or LightGBM writes it, into a [`Forest`]. A forest predicts what its
//! origin predicts, and [`shap::path_dependent()`] and [`shap::interventional`] say exactly what each feature adds to a prediction.

mod error;
pub mod model;
pub mod read;
pub mod rows;
pub mod shap;

pub use error::{ExplainError, Malformed};
pub use model::{Forest, Link};
pub use read::{Format, read};
pub use rows::Rows;
pub use shap::Explanation;
pub use tokio_util::sync::CancellationToken;
