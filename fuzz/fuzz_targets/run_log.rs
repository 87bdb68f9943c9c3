#![no_main]
// Not in the library: `firmware-protocol` includes that, and does not know the rest of the program.
#[path = "../src/run_log.rs"]
mod run_log;
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| run_log::check(bytes));
