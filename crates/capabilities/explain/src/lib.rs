//! Explanations of models: why did a model answer what it answered?
//!
//! [`read()`] reads the file of a tree ensemble or a linear model, as XGBoost, LightGBM, scikit-learn or ONNX write it, into a
//! [`Forest`] or a [`Linear`]. They predict what their origin predicts, and [`shap::path_dependent()`], [`shap::interventional`] and
//! [`shap::linear`] say exactly what each feature adds to a prediction. Other ONNX becomes a [`Graph`], which only answers.
//! [`endpoint`] asks a model that is served elsewhere.
//!
//! What only asks a model explains any [`Scorer`]: [`kernel`] SHAP, [`mod@lime`], [`permutation`] importance, [`effects`] (partial
//! dependence and accumulated local effects), [`counterfactual`]s. [`groups`] compares what explanations say of groups of people. [`summary`]
//! keeps what a page or a report shows of any of them.

mod ask;
mod chance;
pub mod counterfactual;
pub mod effects;
pub mod endpoint;
mod error;
pub mod groups;
pub mod kernel;
pub mod lime;
pub mod model;
pub mod permutation;
pub mod read;
pub mod rows;
mod scorer;
pub mod shap;
mod solve;
mod statistics;
pub mod summary;

pub use endpoint::{Endpoint, EndpointError};
pub use error::{ExplainError, Malformed};
pub use model::{Forest, Graph, Linear, Link, Model};
pub use read::{Format, read};
pub use rows::Rows;
pub use scorer::Scorer;
pub use shap::Explanation;
pub use tokio_util::sync::CancellationToken;
