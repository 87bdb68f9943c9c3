//! What must hold for any bytes, one function `check` for each fuzz target. It panics where something does not hold.
//!
//! The targets call these functions from libFuzzer; `firmware-protocol/tests/fuzzed.rs` includes this file and calls them
//! from bounded property tests and with every seed.

pub mod board_receive;
pub mod feedback_line;
pub mod http_js;
mod script;
pub mod splitter;
