//! Background work: created in the caller's transaction, run at least once, watched while it runs.
//!
//! `ops.jobs` is the truth: what is to be done, how far it is, how often it was tried. A queue (a
//! library's, on the same PostgreSQL) only says who does it next: the relay hands it the ids of what
//! is committed, workers claim the job itself, and a job whose worker died is handed over again.

mod cancel;
mod claim;
mod config;
mod context;
mod due;
mod event;
mod failure;
mod finish;
mod handler;
mod new;
mod query;
mod relay;
mod run;
mod supervise;
mod workers;

pub(crate) use self::new::{ATTEMPTS, job_create};
pub use self::{
    cancel::{Cancelled, job_cancel},
    config::WorkersConfig,
    context::JobContext,
    due::{monitors_due, row_feeds_due},
    event::EventHandler,
    failure::JobFailure,
    handler::JobHandler,
    new::NewJob,
    query::{Job, JobFilter, JobState, job_get, job_list},
    workers::{Workers, WorkersHandle},
};
