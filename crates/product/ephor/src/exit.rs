//! Exit codes: what a script may rely on.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what it should; an analysis passed.
    Ok,
    /// It ran, and what it checked is not right: a metric failed, a trail was altered.
    Finding,
    /// It was asked wrongly, or given input that it can't use.
    Usage,
    /// It could not do it: no database, no disk, a fault of Ephor's own.
    Failure,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Finding => 1,
            Exit::Usage => 2,
            Exit::Failure => 3,
        })
    }
}

/// An error that is the caller's: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

impl Exit {
    /// The exit code of a command that ended in an error.
    pub fn of(error: &anyhow::Error) -> Self {
        if error.is::<UsageError>() || error.is::<crate::config::ConfigError>() {
            Self::Usage
        } else {
            Self::Failure
        }
    }
}
