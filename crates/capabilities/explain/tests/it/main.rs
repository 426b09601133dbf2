//! The engine against its peers, and against brute force.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod black_box;
mod bounds;
mod counterfactual;
mod effects;
mod endpoint;
mod enumerated;
mod graphs;
mod groups;
mod kernel;
mod laws;
mod lime;
mod operators;
mod origins;
mod permutation;
mod reference_lightgbm;
mod reference_linear;
mod reference_sklearn;
mod reference_xgboost;
mod refusals;
mod small;
mod summary;
mod support;
