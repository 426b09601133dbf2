//! The engine against its peers, and against brute force.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod black_box;
mod counterfactual;
mod effects;
mod enumerated;
mod groups;
mod kernel;
mod lime;
mod permutation;
mod reference_lightgbm;
mod reference_xgboost;
mod refusals;
mod support;
