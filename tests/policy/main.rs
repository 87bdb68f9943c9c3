//! The policy engine against what LeRobot and PyTorch computed, and against damaged bundles.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bundle_errors;
mod engine_errors;
mod mutations;
mod parity;
mod support;
