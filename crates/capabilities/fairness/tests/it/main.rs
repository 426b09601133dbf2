//! The engine as a whole: against the peers' values, at the edges, and in bulk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cancellation;
mod edge_cases;
mod encoding;
mod large;
mod properties;
mod reference_aif360;
mod reference_fairlearn;
mod reference_independent;
mod support;
