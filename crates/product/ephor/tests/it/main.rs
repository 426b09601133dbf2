//! The tests of the whole: one binary, so that it is linked once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests are clients, and look again until their time is over"
)]

mod admin;
mod analyze;
mod analyze_gate;
mod analyze_model;
mod approvals;
mod approvals_above;
mod architecture;
mod archives;
mod beside;
mod billing;
mod builtins;
mod clock;
mod cluster;
mod command_line;
mod compliance_score;
mod contract;
mod drift;
mod explain;
mod explain_report;
mod explain_served;
mod explanations;
mod explanations_exact;
mod external_identity;
mod keep_alive;
mod machine_readable;
mod mail;
mod main_job;
mod mitigate;
mod mitigations;
mod monitors;
mod my_data;
mod offers;
mod people;
mod publishing;
mod remote;
mod remote_files;
mod remote_org;
mod remote_steps;
mod resource_isolation;
mod resources;
mod rotation;
mod route_isolation;
mod row_feeds;
mod saved_views;
mod second_factor;
mod secrets;
mod serve;
#[path = "../support/mod.rs"]
mod support;
mod system_health;
mod trail;
mod trouble;
mod trust_center;
mod unlabelled;
mod withheld;
mod words;
mod worker;
mod written_files;
