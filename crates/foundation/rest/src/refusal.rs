//! What PostgreSQL refuses, in the words of the API: constraints become faults of fields.

use ephor_kernel::{Code, Fault, Problem};
use ephor_store::StoreError;
use sqlx::postgres::PgDatabaseError;

use crate::{Constraint, ConstraintKind, Resource};

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    Reading,
    Writing,
    Deleting,
}

/// The problem that an error of PostgreSQL is to whoever asked. `at` is the pointer of the row.
pub(crate) fn problem(resource: &Resource, doing: Doing, error: sqlx::Error, at: &str) -> Problem {
    let found = match &error {
        sqlx::Error::Database(database) => database
            .try_downcast_ref::<PgDatabaseError>()
            .and_then(|database| refusal(resource, doing, database, at)),
        _ => None,
    };
    found.unwrap_or_else(|| StoreError::Database(error).into())
}

fn refusal(
    resource: &Resource,
    doing: Doing,
    error: &PgDatabaseError,
    at: &str,
) -> Option<Problem> {
    let constraint = error.constraint().and_then(|name| resource.table.constraint(name));
    let column = |name: &str| format!("{at}/{name}");
    match error.code() {
        "23505" => Some(conflict(resource, constraint, at)),
        "23503" if doing == Doing::Deleting => Some(in_use(resource, error)),
        "23503" => {
            let name = field_of(constraint).or_else(|| error.column()).unwrap_or_default();
            // Another tenant's row and none at all are the same to the foreign key, and so here.
            let message = format!("`{name}` refers to nothing that is there, or that you may see");
            Some(Problem::invalid(vec![Fault::new(column(name), "unknown_reference", message)]))
        }
        "23514" | "23P01" => {
            let name = field_of(constraint).or_else(|| error.column());
            let message = constraint
                .and_then(|constraint| constraint.comment.clone())
                .unwrap_or_else(|| error.message().to_owned());
            let pointer = name.map_or_else(|| at.to_owned(), column);
            // A step that the state machine does not have is no fault of a value's.
            if error.constraint().is_some_and(|name| name.ends_with("_step")) {
                let mut problem = Problem::new(Code::InvalidTransition, message.clone());
                problem.faults = vec![Fault::new(pointer, "invalid_transition", message)];
                return Some(problem);
            }
            Some(Problem::invalid(vec![Fault::new(pointer, "check_failed", message)]))
        }
        "23502" => {
            let name = error.column().unwrap_or_default();
            let message = format!("`{name}` is missing");
            Some(Problem::invalid(vec![Fault::new(column(name), "required", message)]))
        }
        "22001" => Some(invalid(at, "too_long", "A text is longer than its column")),
        "22003" => Some(invalid(at, "out_of_range", "A number is out of its column's range")),
        // Row-level security or a missing grant: the permission said yes, the database no.
        "42501" => {
            tracing::error!(table = %resource.table.qualified(), %error, "the database refused what a permission allowed");
            Some(Problem::new(Code::Forbidden, "The database does not allow this here"))
        }
        _ => None,
    }
}

fn invalid(at: &str, code: &'static str, message: &'static str) -> Problem {
    Problem::invalid(vec![Fault::new(at.to_owned(), code, message)])
}

fn conflict(resource: &Resource, constraint: Option<&Constraint>, at: &str) -> Problem {
    let columns: Vec<_> = constraint
        .into_iter()
        .flat_map(|constraint| &constraint.columns)
        .map(String::as_str)
        .filter(|name| *name != "organization_id" && resource.column(name).is_some())
        .collect();
    let singular = resource.spec.singular;
    let detail = match columns.as_slice() {
        [] => format!("There is such a {singular} already"),
        [only] => format!("There is a {singular} with this `{only}` already"),
        many => format!("There is a {singular} with these values of {} already", many.join(", ")),
    };
    let faults = columns.into_iter().map(|name| {
        Fault::new(format!("{at}/{name}"), "conflict", detail.clone())
            .hint("change the value, or change the one that is there")
    });
    Problem { faults: faults.collect(), ..Problem::new(Code::Conflict, detail.clone()) }
}

fn in_use(resource: &Resource, error: &PgDatabaseError) -> Problem {
    let holder = error.table().unwrap_or("other rows").replace('_', " ");
    let singular = resource.spec.singular;
    Problem::new(
        Code::Conflict,
        format!("The {singular} cannot be deleted: {holder} refer to it; delete those first"),
    )
}

/// The column that a constraint is about, beside the organization.
fn field_of(constraint: Option<&Constraint>) -> Option<&str> {
    let constraint = constraint?;
    let mut columns = constraint.columns.iter().filter(|name| *name != "organization_id");
    match (&constraint.kind, columns.next(), columns.next()) {
        // A check on several columns is nobody's fault in particular.
        (ConstraintKind::Check, Some(_), Some(_)) => None,
        (_, Some(name), _) => Some(name),
        _ => None,
    }
}
