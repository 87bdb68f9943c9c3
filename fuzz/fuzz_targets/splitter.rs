#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| roarm_fuzz::splitter::check(bytes));
