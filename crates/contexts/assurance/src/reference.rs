//! What a foreign key refuses is told at the field that names what is not there.

use ephor_kernel::{Fault, Problem};
use ephor_store::StoreError;

/// A problem of an insert whose references a caller chose. Another organization's row and none at all are the same to
/// a foreign key, and so here.
pub(crate) fn refused(error: sqlx::Error) -> Problem {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    let (pointer, message) = match constraint {
        Some("bias_analyses_model_id_fkey" | "row_feeds_model_id_fkey") => {
            ("/model_id", "There is no such model, or you may not see it")
        }
        Some("bias_analyses_dataset_id_fkey") => {
            ("/dataset_id", "There is no such data set, or you may not see it")
        }
        _ => return StoreError::from(error).into(),
    };
    Problem::invalid(vec![Fault::new(pointer, "unknown_reference", message)])
}
