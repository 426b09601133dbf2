//! What the database can't say about the resources of this context.

use ephor_rest::{Include, ResourceSpec};

/// Bias analyses: made and stopped by actions, for they come with a job.
pub const BIAS_ANALYSES: ResourceSpec =
    ResourceSpec::new("bias_analyses", "assurance.bias_analyses")
        .labels("bias analysis", "bias analyses")
        .hidden(&["metrics"])
        .search(&["name", "description"])
        .include(&[
            Include::one("dataset", "datasets", "dataset_id"),
            Include::one("model", "models", "model_id"),
            Include::many("results", "bias_analysis_results", "analysis_id"),
        ])
        .reach();

/// What analyses found: written by the engine alone.
pub const BIAS_ANALYSIS_RESULTS: ResourceSpec =
    ResourceSpec::new("bias_analysis_results", "assurance.bias_analysis_results")
        .labels("result", "results")
        .permission("bias_analyses")
        .parent("bias_analyses", "analysis_id", "results")
        .sort("position")
        .reach();

/// All of them.
pub const RESOURCES: &[ResourceSpec] = &[BIAS_ANALYSES, BIAS_ANALYSIS_RESULTS];
