//! Ctrl-C and its relatives: each ends in the hold, with a summary and its own exit code.

use rustix::process::Signal;

use crate::attempt::Attempt;
use crate::support::port::{SilentPort, VirtualArm};

#[track_caller]
fn ends_in_the_hold(signals: &[Signal], code: i32, reason: &str) {
    let arm = VirtualArm::start("g1");
    let mut program = Attempt::at(&arm.port()).patient().start();
    program.wait_until_said("running ");
    for signal in signals {
        program.signal(*signal);
    }
    let ended = program.finish();
    let summary = ended.assert_code(code).summary();
    assert_eq!((&summary["ok"], &summary["ended"]), (&true.into(), &reason.into()));
    assert!(ended.stderr.contains(&format!("{reason}: easing to the hold")), "{ended}");
    let log = arm.end();
    log.assert_held();
    log.assert_steps();
}

#[test]
fn ctrl_c() {
    ends_in_the_hold(&[Signal::INT], 130, "Ctrl-C");
}

#[test]
fn a_second_ctrl_c_changes_nothing() {
    ends_in_the_hold(&[Signal::INT, Signal::INT], 130, "Ctrl-C");
}

#[test]
fn termination() {
    ends_in_the_hold(&[Signal::TERM], 143, "SIGTERM");
}

#[test]
fn a_closed_terminal() {
    ends_in_the_hold(&[Signal::HUP], 129, "SIGHUP");
}

#[test]
fn ctrl_c_while_waiting_for_the_arm_ends_at_once() {
    let port = SilentPort::open();
    let program = Attempt::at(port.path()).start();
    // The handshake shows that the port is open; the wait for an answer lasts 3 s, and Ctrl-C comes at its beginning.
    while port.received().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    program.signal(Signal::INT);
    program.finish().assert_error(130, &["ended by Ctrl-C", "before anything moved"]);
    assert!(!port.received().contains("\"T\":102"));
}
