#![no_main]

#[path = "../schedules.rs"]
#[allow(dead_code, reason = "each target holds one of the laws")]
mod laws;

libfuzzer_sys::fuzz_target!(|input: &[u8]| laws::batch(input));
