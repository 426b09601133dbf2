#![no_main]

#[path = "../models.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|input: &[u8]| laws::model(input));
