//! How sure a number is.

pub(crate) mod delong;
