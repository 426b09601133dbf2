//! The engine as a whole: against the peers' values, at the edges, and in bulk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    clippy::from_iter_instead_of_collect,
    reason = "the array's type is what a reader needs to see"
)]

mod cancellation;
mod catalogue;
mod certainty;
mod comparison;
mod coverage;
mod coverage_everybody;
mod coverage_tasks;
mod crowded;
mod drift;
mod edge_cases;
mod encoding;
mod families;
mod flips;
mod gate;
mod gate_tasks;
mod gate_unshown;
mod individual;
mod kinds_support;
mod large;
mod laws;
mod mitigation;
mod mitigation_search;
mod multiclass;
mod parquet_codes;
mod properties;
mod ranking;
mod recommendations;
mod reference_aequitas;
mod reference_aif360;
mod reference_data;
mod reference_drift;
mod reference_fairlearn;
mod reference_independent;
mod reference_law;
mod reference_significance;
mod regression;
mod sarif_schema;
mod strata;
mod support;
mod task;
mod task_drift;
mod task_properties;
mod task_tests;
mod unlabelled;
