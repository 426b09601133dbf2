//! What the database can't say about the resources of this context.

use ephor_rest::{Actions, Include, ResourceSpec};

/// Scan configurations, results and summaries.
pub const RESOURCES: &[ResourceSpec] =
    &[GITHUB_SCAN_CONFIGS, GITHUB_SCAN_RESULTS, GITHUB_SCAN_SUMMARIES];

const GITHUB_SCAN_CONFIGS: ResourceSpec =
    ResourceSpec::new("github_scan_configs", "discovery.github_scan_configs")
        .labels("scan configuration", "scan configurations")
        .actions(Actions::ALL)
        .create(&[
            "name",
            "source",
            "github_org_name",
            "source_url",
            "credential_ref",
            "schedule_hours",
            "settings",
            "is_active",
        ])
        .update(&[
            "name",
            "source",
            "github_org_name",
            "source_url",
            "credential_ref",
            "schedule_hours",
            "settings",
            "is_active",
        ])
        .search(&["name", "github_org_name", "source_url"])
        .include(&[
            Include::many("results", "github_scan_results", "scan_config_id"),
            Include::many("summaries", "github_scan_summaries", "scan_config_id"),
        ])
        .reach();

/// Written by scans. A result is added to risk by the operation that opens the risk.
const GITHUB_SCAN_RESULTS: ResourceSpec =
    ResourceSpec::new("github_scan_results", "discovery.github_scan_results")
        .labels("scan result", "scan results")
        .search(&["repository_name", "repository_url"])
        .words_index()
        .parent("github_scan_configs", "scan_config_id", "results")
        .include(&[Include::one("config", "github_scan_configs", "scan_config_id")])
        .reach();

/// Written by scans.
const GITHUB_SCAN_SUMMARIES: ResourceSpec =
    ResourceSpec::new("github_scan_summaries", "discovery.github_scan_summaries")
        .labels("scan summary", "scan summaries")
        .parent("github_scan_configs", "scan_config_id", "summaries")
        .include(&[Include::one("config", "github_scan_configs", "scan_config_id")])
        .reach();
