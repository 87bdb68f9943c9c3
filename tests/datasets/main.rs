//! LeRobot datasets of every layout: read as LeRobot reads them, checked, written.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod check;
mod copy;
mod fuzzed;
mod program;
mod reading;
mod writing;
