//! What does a job.

use async_trait::async_trait;

use super::{JobContext, JobFailure};

/// Does the jobs of one kind.
///
/// A job is run at least once: a worker may die after the work and before it has said so. So the work
/// must be such that doing it twice is as good as once.
#[async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// The word of the jobs that it does: lower-case letters, digits, dots and underscores.
    fn kind(&self) -> &'static str;

    /// Does one. It watches [`JobContext::cancelled`] and returns [`JobFailure::Cancelled`] when told to
    /// stop; it may be told so before it has begun.
    async fn run(&self, job: JobContext) -> Result<(), JobFailure>;

    /// Told when a job has finally failed, before it is recorded so: also when every worker that ran it
    /// died, which `run` could not tell. Puts right what the job was about. May be told twice. The reason is not empty, holds no
    /// NUL, and has at most 10 000 characters.
    async fn failed(&self, job: JobContext, reason: &str) -> Result<(), JobFailure> {
        let (_, _) = (job, reason);
        Ok(())
    }
}
