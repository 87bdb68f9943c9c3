//! The live driver on pseudo-terminals. Completion, order and counts are asserted, never times of the wall clock.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::{Duration, Instant};

use firmware_protocol::emulator::BoardOptions;
use rustix::termios::{ControlModes, tcgetattr};

use super::test_pty::Pty;
use super::*;
use crate::types::{CommandWritten, Joint, JointAngles, JointCommand};

/// Longer than any test needs; reaching it is a failure.
const GIVE_UP: Duration = Duration::from_secs(60);

pub(super) fn options() -> LinkOptions {
    LinkOptions { still_time: Duration::from_millis(100), ..LinkOptions::default() }
}

pub(super) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < GIVE_UP, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(super) fn wait_ready(arm: &SerialArm) -> Result<Generation, ArmError> {
    let start = Instant::now();
    arm.wait_until_ready(|_| {}, || start.elapsed() > GIVE_UP)
}

fn command(sequence: u64) -> JointCommand {
    let mut goal = JointAngles::from(BoardOptions::BOOT_POSE);
    goal.set(Joint::Base, (sequence as f64 * 0.05).sin() * 0.2);
    JointCommand {
        sequence,
        tick: 3 * sequence,
        goal,
        profile: crate::types::ServoProfile { speed_rad_s: 3.0, acceleration_rad_s2: 7.7 },
    }
}

#[test]
fn commands_reach_the_board_whole_in_order_and_each_is_reported() {
    for generation in [Generation::G1, Generation::G3] {
        let board = Pty::open().serve(BoardOptions::new(generation));
        let (arm, mut handle) = SerialArm::open(board.slave(), options()).unwrap();
        assert_eq!(wait_ready(&arm).unwrap(), generation);
        assert_eq!((arm.generation(), handle.generation()), (Some(generation), Some(generation)));

        let mut reports: Vec<CommandWritten> = Vec::new();
        let mut poses = Vec::new();
        let mut sequence = 0;
        until("40 written commands", || {
            if handle.ready() {
                handle.offer(command(sequence));
                sequence += 1;
            }
            poses.extend(handle.latest_feedback());
            reports.extend(std::iter::from_fn(|| handle.take_written()));
            reports.len() >= 40
        });
        handle.release();
        let statistics = arm.stop();
        reports.extend(std::iter::from_fn(|| handle.take_written()));
        let board = {
            // The board reads what is still on the wire.
            std::thread::sleep(Duration::from_millis(100));
            board.end()
        };

        assert!(reports.windows(2).all(|pair| {
            pair[0].command.sequence < pair[1].command.sequence && pair[0].written <= pair[1].written
        }));
        assert!(reports.iter().all(|report| report.command == command(report.command.sequence)));
        assert!(
            poses
                .windows(2)
                .all(|pair| pair[0].sequence < pair[1].sequence && pair[0].measured <= pair[1].measured)
        );
        let mut board = board;
        let lines = board.take_lines();
        let joints: Vec<_> = lines.iter().filter(|line| line.bytes.starts_with(b"{\"T\":102,")).collect();
        assert!(joints.iter().all(|line| line.parsed && line.bytes.ends_with(b"}")));
        assert!(
            lines.iter().all(|line| line.parsed || line.bytes.is_empty()),
            "half a line reached the board"
        );
        assert_eq!(joints.len(), reports.len(), "each written command is reported, and no other");
        assert_eq!(statistics.link.commands, reports.len() as u64);
        assert!(statistics.link.commands <= statistics.link.feedback_lines);
        assert_eq!(board.lost_bytes(), 0);
    }
}

#[test]
fn a_port_that_is_closed_mid_way_is_a_lost_link() {
    let board = Pty::open().serve(BoardOptions::new(Generation::G1));
    let options = LinkOptions { reconnect_timeout: Duration::ZERO, ..options() };
    let (arm, handle) = SerialArm::open(board.slave(), options).unwrap();
    wait_ready(&arm).unwrap();
    board.end();
    until("the lost link", || handle.link_fault().is_some());
    assert_eq!((handle.link_fault(), arm.fault()), (Some(LinkFault::Lost), Some(LinkFault::Lost)));
    assert!(!handle.ready());
    let last = arm.events().iter().last();
    assert_eq!(last, Some(LinkEvent::Fault(LinkFault::Lost)));
}

#[test]
fn a_port_in_use_is_refused_and_its_holder_named() {
    let pty = Pty::open();
    let (first, _handle) = SerialArm::open(pty.slave(), options()).unwrap();
    let error = SerialArm::open(pty.slave(), options()).unwrap_err();
    let ArmError::Busy { ref holders, .. } = error else { panic!("{error}") };
    assert!(holders.0.iter().any(|holder| holder.pid == std::process::id()), "{holders:?}");
    assert!(error.to_string().contains(&format!("(process {})", std::process::id())), "{error}");
    first.stop();
    // Stopping gives the port back.
    SerialArm::open(pty.slave(), options()).unwrap();
}

#[test]
fn paths_that_are_no_ports_say_so() {
    let missing = SerialArm::open(Path::new("/dev/no-such-port"), options()).unwrap_err();
    assert!(matches!(missing, ArmError::NoPort { .. }));
    assert!(missing.to_string().starts_with("serial port /dev/no-such-port does not exist; "), "{missing}");
    let file = tempfile::NamedTempFile::new().unwrap();
    for path in [file.path(), Path::new("/dev/null")] {
        assert!(matches!(SerialArm::open(path, options()).unwrap_err(), ArmError::NotASerialPort { .. }));
    }
}

#[test]
fn a_port_that_stays_silent_is_an_error() {
    let pty = Pty::open();
    let options = LinkOptions { silence_timeout: Duration::from_millis(200), ..options() };
    let (arm, _handle) = SerialArm::open(pty.slave(), options).unwrap();
    let error = wait_ready(&arm).unwrap_err();
    assert!(matches!(error, ArmError::Link(LinkFault::NoBytes)), "{error}");
    assert!(error.to_string().contains("LADAR"));
}

#[test]
fn a_command_that_waited_too_long_is_never_sent() {
    let pty = Pty::open();
    let options = LinkOptions { silence_timeout: GIVE_UP, ..options() };
    let (arm, mut handle) = SerialArm::open(pty.slave(), options).unwrap();
    handle.offer(command(7));
    until("the command to be thrown away", || arm.statistics().stale_commands == 1);
    let board = pty.serve(BoardOptions::new(Generation::G1));
    wait_ready(&arm).unwrap();
    until("ready", || handle.ready());
    arm.stop();
    assert_eq!(handle.take_written(), None);
    assert!(board.end().take_lines().iter().all(|line| !line.bytes.starts_with(b"{\"T\":102")));
}

#[test]
fn a_goal_that_is_no_number_is_counted_and_not_sent() {
    let board = Pty::open().serve(BoardOptions::new(Generation::G1));
    let (arm, mut handle) = SerialArm::open(board.slave(), options()).unwrap();
    wait_ready(&arm).unwrap();
    handle.offer(JointCommand { goal: JointAngles::from_array_rad([f64::NAN; 6]), ..command(0) });
    until("the refusal", || arm.statistics().refused_commands == 1);
    handle.offer(command(1));
    until("the next command", || handle.take_written().is_some_and(|report| report.command.sequence == 1));
}

#[test]
fn the_port_is_set_up_without_hang_up_on_close() {
    let pty = Pty::open();
    let (_arm, _handle) = SerialArm::open(pty.slave(), options()).unwrap();
    let settings = tcgetattr(pty.master()).unwrap();
    assert_eq!(settings.output_speed(), 115_200);
    assert!(!settings.control_modes.contains(ControlModes::HUPCL));
    assert!(!settings.local_modes.contains(rustix::termios::LocalModes::ECHO));
}

#[test]
fn a_panic_of_the_link_thread_is_a_fault() {
    let pty = Pty::open();
    let (arm, handle) = {
        let hooks = LinkHooks { on_start: Box::new(|| panic!("on purpose")), ..LinkHooks::default() };
        SerialArm::open_with(pty.slave(), options(), hooks).unwrap()
    };
    assert!(matches!(wait_ready(&arm), Err(ArmError::Link(LinkFault::ThreadEnded))));
    assert_eq!(handle.link_fault(), Some(LinkFault::ThreadEnded));
}

#[test]
fn waiting_can_be_interrupted() {
    let pty = Pty::open();
    let (arm, _handle) = SerialArm::open(pty.slave(), options()).unwrap();
    assert!(matches!(arm.wait_until_ready(|_| {}, || true), Err(ArmError::Interrupted)));
}
