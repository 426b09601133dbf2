//! What the figures were measured on.

use std::num::NonZero;

/// Processors, operating system and build.
pub fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let build =
        if cfg!(debug_assertions) { "a debug build: no figure counts" } else { "release build" };
    format!(
        "Ephor {}, {build}; {cores} cores ({}, {})",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        std::env::consts::OS,
    )
}
