//! Faults and panics of the library that runs graphs, as one sentence.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use tract_onnx::prelude::TractResult;

/// What comes of the work, or what is wrong: a panic is a fault too, as files are made by anybody.
pub(super) fn guarded<T>(work: impl FnOnce() -> TractResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(shown(&format!("{error:#}"))),
        Err(panic) => Err(panicked(panic.as_ref())),
    }
}

/// What a panic says.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> String {
    let told = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("its parts do not hold together");
    shown(told)
}

/// The start of it, fit for a terminal.
fn shown(told: &str) -> String {
    told.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(300).collect()
}
