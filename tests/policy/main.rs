//! The policy engine against what LeRobot and PyTorch computed, and against damaged bundles.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, reason = "cargo shows the measured numbers of a failed test")]
#![allow(clippy::type_complexity, reason = "tables of cases")]

mod allocations;
mod bundle_errors;
mod demo_bundle;
mod engine_errors;
mod interruption;
mod mutations;
mod parity;
mod real_time_chunking;
mod reduced_precision;
mod support;
mod two_cameras;
