#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| roarm_fuzz::http_js::check(bytes));
