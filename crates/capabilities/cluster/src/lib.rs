//! One analysis on many machines: Ephor's functions on a Ballista scheduler and executors.
//!
//! [`Scheduler`] and [`Executor`] are the parts of a cluster, [`Cluster`] is who asks one. A table of a cluster is a
//! `DataFrame` like any other; what `ephor_fairness::analyze` makes of it is bit for bit what it makes of the same file
//! here, because a cube does not depend on who counted which rows (but for the last digits of added weights). Only the aggregate travels: each executor reads its part
//! of the Parquet file itself, so that all parts must see the file under the same name.
//!
//! The protocol knows neither log-ins nor encryption: whoever reaches a port of a cluster can have files read and written as
//! the user of its parts, and any other query run. Everything listens on this machine alone unless it is told otherwise.

mod address;
mod client;
mod error;
mod executor;
mod functions;
mod job;
mod probe;
mod scheduler;
mod stores;

pub use address::Address;
pub use client::{Cluster, ClusterOptions, Location};
pub use error::ClusterError;
pub use executor::{Executor, ExecutorOptions, Stopped};
pub use scheduler::{Scheduler, SchedulerOptions};

/// The largest message between parts, in bytes: a cube at all of its limits takes about a third.
const MESSAGE_BYTES: u32 = 1 << 30;
