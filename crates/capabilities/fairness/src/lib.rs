//! Fairness metrics with uncertainty, from one pass over the data.
//!
//! [`analyze`] scans a table once, through the aggregate function [`cube::fair_cube`], and computes every group metric,
//! disparity, interval and recommendation from the small cube that the scan leaves.

mod analysis;
mod conditional;
mod error;
mod fault;
mod not_compared;
mod off_thread;
mod parity;
mod recommendation;
mod result;
mod score;
mod spec;
pub mod tally;

pub mod catalogue;
pub mod comparison;
pub mod cube;
pub mod data;
pub mod disparities;
pub mod drift;
pub mod flips;
pub mod frame;
pub mod gate;
pub mod gather;
pub mod individual;
pub mod intervals;
mod lanes;
pub mod law;
pub mod metrics;
pub mod mitigation;
pub mod multiclass;
pub mod ranking;
pub mod regression;
pub mod significance;
pub mod task;

pub use analysis::{
    Progress, Remote, RemoteError, analyze, analyze_cube, column_faults, counts_codes, read_cube,
    scan_plan,
};
pub use conditional::*;
pub use datafusion::dataframe::DataFrame;
pub use error::AnalysisError;
pub use fault::Fault;
pub use mitigation::{MitigationArtifact, MitigationSpec};
pub use not_compared::NotCompared;
pub use parity::{GroupParity, Parity};
pub use recommendation::*;
pub use result::*;
pub use score::compliance_score;
pub use spec::{AnalysisSpec, AnalysisType, MAX_ATTRIBUTES, MAX_DRAWS};
pub use tokio_util::sync::CancellationToken;

/// The version of the engine that a result names.
pub const ENGINE_VERSION: &str = env!("CARGO_PKG_VERSION");
