//! Monitors: a reference held against what is current, on a schedule, when rows arrive, or by hand. What
//! is found wrong is told once, as an alert that lasts until it is right again or somebody closes it.

mod alert;
mod arrival;
mod columns;
mod definition;
mod due;
mod enqueue;
mod finding;
mod get;
mod measure;
mod operations;
mod record;
mod routes;
mod run;
mod task;
mod window;

pub use alert::{AlertClose, alert_acknowledge, alert_close};
pub(crate) use alert::{event as alert_event, faults as alert_faults};
pub use arrival::dataset_arrived;
pub(crate) use definition::faults;
pub(crate) use due::start_due;
pub use enqueue::{MonitorRun, monitor_run_now};
pub use get::{Monitor, monitor_get};
pub(crate) use operations::operations;
pub use routes::routes;
pub use run::MonitorRunner;

/// The kind of job that runs a monitor.
pub const JOB_KIND: &str = "monitor_run";

/// What the job is given.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
struct JobPayload {
    /// The monitor to run.
    monitor: ephor_kernel::MonitorId,
    /// The moment that its current window ends at; when the work begins, if it is not here.
    #[serde(default)]
    at: Option<chrono::DateTime<chrono::Utc>>,
}
