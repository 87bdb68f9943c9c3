//! However `roarm sim` ends, it leaves nothing behind that hinders the next one.

use std::net::TcpListener;

use rustix::process::Signal;

use crate::sim_clients::{connect, open};
use crate::sim_run::SimRun;
use crate::support::program::roarm;

#[track_caller]
fn ends_well(signals: &[Signal], reason: &str) {
    let sim = SimRun::start(&["--tcp", "0", "--http", "0"]);
    let (tcp, http) = (sim.address("tcp "), sim.address("http://"));
    // clients are there, and one asks for something
    let mut serial = open(&sim.port());
    serial.feedback();
    let mut network = connect(tcp);
    network.feedback();
    let end = sim.end_by(signals);
    assert_eq!(end.ended.json()["ended"], reason);
    assert!(end.ended.stderr.contains(&format!(": {reason}")), "{}", end.ended);
    for address in [tcp, http] {
        TcpListener::bind(address).unwrap_or_else(|error| panic!("{address} is still taken: {error}"));
    }
    assert!(!end.ended.stderr.contains("panicked"), "{}", end.ended);
}

#[test]
fn by_ctrl_c() {
    ends_well(&[Signal::INT], "Ctrl-C");
}

#[test]
fn by_a_second_ctrl_c() {
    ends_well(&[Signal::INT, Signal::INT], "Ctrl-C");
}

#[test]
fn by_sigterm() {
    ends_well(&[Signal::TERM], "SIGTERM");
}

#[test]
fn by_sighup() {
    ends_well(&[Signal::HUP], "SIGHUP");
}

#[test]
fn by_its_duration() {
    let end = SimRun::start(&["--duration", "1.5"]).finish();
    assert_eq!(end.ended.json()["ended"], "duration reached");
    let board = end.only_board();
    assert!(board["board_time_s"].as_f64() >= Some(1.4), "{board}");
    assert!(board["processor_percent"].is_number(), "{board}");
}

#[test]
fn a_link_that_a_killed_run_left_is_replaced() {
    let folder = SimRun::start(&[]).kill();
    assert!(folder.path().join("arm").is_symlink(), "a killed run cannot take its link away");
    let sim = SimRun::start_in(folder, &[]);
    open(&sim.port()).feedback();
    sim.end();
}

#[test]
fn nobody_listening_is_no_reason_to_end() {
    let program =
        crate::support::program::Program::start_unheard(["sim", "--duration", "1", "--fault", "mute@0.2s"]);
    assert_eq!(program.finish().code, Some(0));
}

#[test]
fn a_port_that_is_taken_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    roarm(["sim", "--tcp", &address]).assert_error(3, &["--tcp", &address, "another port"]);
    roarm(["sim", "--http", &address]).assert_error(3, &["--http", &address, "another port"]);
}
