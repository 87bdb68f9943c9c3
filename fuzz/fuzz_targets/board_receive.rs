#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| roarm_fuzz::board_receive::check(bytes));
