//! Exit codes: what a script may rely on.

use std::process::ExitCode;

use serde_json::{Value, json};

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

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Finding => 1,
            Self::Usage => 2,
            Self::Failure => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error that is the caller's: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// What a server refused or could not do: as it said it, in words and as the problem that came.
#[derive(Debug, thiserror::Error)]
#[error("{told}")]
pub struct Refusal {
    /// All of it, for people.
    pub told: String,
    /// `application/problem+json`
    pub problem: Value,
    /// Can the caller mend it?
    pub mendable: bool,
}

/// An error as programs read it: a problem like the API's, with the exit code beside it.
pub fn problem(error: &anyhow::Error) -> Value {
    let exit = Exit::of(error);
    let mut problem = match error.downcast_ref::<Refusal>() {
        Some(refusal) => refusal.problem.clone(),
        None => own_problem(exit, &format!("{error:#}")),
    };
    problem["exit_code"] = exit.code().into();
    problem
}

/// A problem of the command line's own.
pub fn own_problem(exit: Exit, detail: &str) -> Value {
    let (title, code) = match exit {
        Exit::Usage => ("Wrong usage or input", "usage"),
        _ => ("It could not be done", "failed"),
    };
    json!({
        "type": "about:blank", "title": title, "code": code, "detail": detail, "exit_code": exit.code(),
    })
}

impl Exit {
    /// The exit code of a command that ended in an error.
    pub fn of(error: &anyhow::Error) -> Self {
        if let Some(refusal) = error.downcast_ref::<Refusal>() {
            return if refusal.mendable { Self::Usage } else { Self::Failure };
        }
        if error.is::<UsageError>() || error.is::<crate::config::ConfigError>() {
            Self::Usage
        } else {
            Self::Failure
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_problem_with_its_exit_code() {
        let usage = problem(&UsageError("`x` is no type".into()).into());
        assert_eq!((&usage["code"], &usage["exit_code"]), (&json!("usage"), &json!(2)));
        assert_eq!(usage["detail"], "`x` is no type");
        let failed = problem(&anyhow::anyhow!("no disk").context("a file can't be written"));
        assert_eq!((&failed["code"], &failed["exit_code"]), (&json!("failed"), &json!(3)));
        assert_eq!(failed["detail"], "a file can't be written: no disk");
    }

    #[test]
    fn what_a_server_said_is_handed_on_as_it_came() {
        let came = json!({"code": "not_found", "status": 404, "detail": "There is none"});
        let refusal =
            |mendable| Refusal { told: "There is none".into(), problem: came.clone(), mendable };
        let told = problem(&refusal(true).into());
        assert_eq!(
            (&told["code"], &told["status"], &told["exit_code"]),
            (&json!("not_found"), &json!(404), &json!(2))
        );
        assert_eq!(problem(&refusal(false).into())["exit_code"], 3);
    }
}
