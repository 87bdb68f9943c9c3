//! The real program as its users run it: exit codes, what it says, and what reaches the arm.
//!
//! On a loaded machine everything takes longer, so nothing here depends on how long: rates and stop times are asserted in
//! virtual time (`tests/virtual_run.rs`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod attempt;
mod bad_arguments;
mod bad_policies;
mod bad_ports;
mod bench;
mod demo;
mod doctor;
mod export_logs;
mod faults;
mod parking;
mod played_again;
mod policy_verbs;
mod record_teach;
mod replay;
mod run_log;
mod run_on_pty;
mod shell_files;
mod signals;
mod sim_arguments;
mod sim_boards;
mod sim_clients;
mod sim_ends;
mod sim_faults;
mod sim_run;
mod sim_transports;
mod small_disk;
#[path = "../support/mod.rs"]
mod support;
mod system_calls;
mod terminal_keys;
