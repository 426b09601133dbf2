//! Tables from files, good and bad.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conversion;
mod faults;
mod hostile_parquet;
mod kept;
mod laws;
mod plans;
mod profiles;
mod reading;
mod support;
mod uploads;
