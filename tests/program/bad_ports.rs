//! Ports that are no arm, or no arm that can be used.

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::process::Signal;

use crate::attempt::{Attempt, refused};
use crate::support::port::{AnsweringPort, SilentPort, VirtualArm};
use crate::support::program::Program;

#[test]
fn a_port_that_is_not_there() {
    refused(3, &["/dev/ttyUSB97", "does not exist"], |attempt| attempt.arm = "/dev/ttyUSB97".to_owned());
}

#[test]
fn a_path_that_is_no_port() {
    for path in ["/dev/null", env!("CARGO_MANIFEST_DIR")] {
        let parts = [path, "not a serial port", "/dev/serial/by-id/"];
        refused(3, &parts, |attempt| attempt.arm = path.to_owned());
    }
}

#[test]
fn a_port_that_is_in_use() {
    let port = SilentPort::open();
    let device = open(port.path(), OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    flock(&device, FlockOperation::NonBlockingLockExclusive).unwrap();
    let us = format!("(process {})", std::process::id());
    Attempt::at(port.path()).run().assert_error(3, &["is in use by", &us, "close it first"]);
    assert_eq!(port.received(), "");
}

#[test]
fn a_port_that_this_user_may_not_open() {
    let port = SilentPort::open();
    // Taken from everybody but root, who cannot be refused: so the program runs as `nobody`.
    std::fs::set_permissions(port.path(), std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    let path = port.path().display().to_string();
    let arguments = ["run", "--arm", &path, "--policy", "unread", "--task", "Open the gripper."];
    let ended = if rustix::process::geteuid().is_root() {
        Program::start_as_nobody(arguments).finish()
    } else {
        Program::start(arguments).finish()
    };
    ended.assert_error(3, &[&path, "no permission", "belongs to group", "sudo usermod -aG"]);
    assert_eq!(port.received(), "");
}

#[test]
fn a_board_that_says_nothing() {
    let port = SilentPort::open();
    Attempt::at(port.path())
        .run()
        .assert_error(3, &["sends nothing", "LADAR", "marked USB", "12 V", "try again"]);
    let received = port.received();
    assert!(received.contains("\"T\":605") && !received.contains("\"T\":102"), "{received}");
}

#[test]
fn a_board_that_talks_without_feedback_is_waited_for_until_the_user_ends_it() {
    let port = AnsweringPort::text_only();
    let mut program = Attempt::at(port.path()).start();
    program.wait_until_said("the board is booting and may move");
    program.signal(Signal::INT);
    program.finish().assert_error(130, &["ended by Ctrl-C before anything moved"]);
    assert!(!port.end().contains("\"T\":102"));
}

#[test]
fn servos_without_supply() {
    let arm = AnsweringPort::servos_without_supply();
    Attempt::at(arm.path())
        .run()
        .assert_error(3, &["servo bus is dead", "12 V", "servo cable", "restart the board"]);
    let received = arm.end();
    assert!(received.contains("\"T\":605") && !received.contains("\"T\":102"), "{received}");
}

#[test]
fn another_generation_than_the_one_told() {
    let arm = VirtualArm::start("g1");
    let attempt = Attempt::at(&arm.port()).with(&["--firmware", "g3"]);
    attempt.run().assert_error(3, &["firmware generation", "leave out `firmware`"]);
    assert!(arm.end().commands.is_empty());
}

#[test]
fn a_start_pose_through_the_table() {
    let arm = VirtualArm::start("g1");
    let mut attempt = Attempt::at(&arm.port());
    // A negative first angle is no flag.
    attempt.more = vec!["--start-pose".to_owned(), "-10,80,90,0,0,0".to_owned()];
    attempt.run().assert_error(3, &["above the table", "Move the arm by hand", "another --start-pose"]);
    assert!(arm.end().commands.is_empty(), "nothing moves");
}
