#![no_main]
#[path = "../src/dataset.rs"]
mod dataset;
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dataset::check_input(bytes));
