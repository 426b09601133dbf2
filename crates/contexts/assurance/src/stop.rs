//! Stopping what has a job, whatever it is.

use ephor_kernel::{Code, JobId, Problem};
use ephor_store::{
    OrgTx,
    jobs::{Cancelled, job_cancel},
};
use uuid::Uuid;

/// Stops `what` is queued or running: at once while it is queued, else as soon as its work notices; then its runner writes it down.
///
/// # Errors
/// `invalid_transition` when it has already come to its end.
pub(crate) async fn stop(
    tx: &mut OrgTx,
    what: &str,
    status: &str,
    job: Option<Uuid>,
) -> Result<Cancelled, Problem> {
    if !matches!(status, "queued" | "running") {
        let message = format!("The {what} is {status} already, so there is nothing to cancel");
        return Err(Problem::new(Code::InvalidTransition, message));
    }
    match job.map(JobId::from) {
        Some(job) => Ok(job_cancel(tx, job).await?),
        None => Ok(Cancelled::AtOnce),
    }
}
