//! A client on the real pseudo-terminal. Nothing here depends on how fast the machine is: counts and order only.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;

use firmware_protocol::{Generation, Line, parse_line};
use rustix::fs::OFlags;
use std::path::Path;
use std::time::Duration;

use super::*;

/// Long enough for the slowest machine; a test that works ends early.
const PATIENCE: Duration = Duration::from_secs(60);

fn open(path: &Path) -> std::fs::File {
    std::fs::File::options()
        .read(true)
        .write(true)
        .custom_flags(OFlags::NOCTTY.bits() as i32)
        .open(path)
        .unwrap()
}

/// Lines from the board until `done` says so.
fn read_until(port: &mut std::fs::File, mut done: impl FnMut(&[u8]) -> bool) {
    let start = Instant::now();
    let (mut line, mut buffer) = (Vec::new(), [0; 256]);
    loop {
        let count = port.read(&mut buffer).unwrap();
        for &byte in &buffer[..count] {
            line.push(byte);
            if byte == b'\n' {
                if done(&line) {
                    return;
                }
                line.clear();
            }
        }
        assert!(start.elapsed() < PATIENCE, "the board does not say what was waited for");
    }
}

fn read_feedback(port: &mut std::fs::File, count: usize) {
    let mut found = 0;
    read_until(port, |line| {
        found += usize::from(matches!(parse_line(line.trim_ascii_end()), Line::Feedback(_)));
        found == count
    });
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Base to 0.5 rad, everything else at home.
const TURN: &[u8] = b"{\"T\":102,\"base\":0.5,\"shoulder\":0,\"elbow\":1.57,\"wrist\":0,\"roll\":0,\"hand\":3.14,\"spd\":1000,\"acc\":50}\n";

#[test]
fn a_client_reads_feedback_and_moves_the_arm() {
    let board = VirtualBoard::spawn(VirtualBoardOptions::default()).unwrap();
    let pose = board.arm_pose();
    assert!(pose.get().get(calibration::Joint::Base).abs() < 0.01);
    let mut port = open(&board.path());
    read_feedback(&mut port, 5);
    port.write_all(TURN).unwrap();
    wait_for("the arm turns", || (pose.get().get(calibration::Joint::Base) - 0.5).abs() < 0.02);
    let log = board.log();
    assert_eq!(log.len(), 1, "no echo, no doubled line: {log:?}");
    assert_eq!((log[0].bytes.as_slice(), log[0].parsed), (TURN.trim_ascii_end(), true));
    assert!(log[0].board_time > Duration::ZERO && log[0].arrived >= log[0].board_time);
    assert_eq!(board.lines_received(), 1);
    board.check().unwrap();
    board.stop();
}

#[test]
fn bytes_pass_as_they_are() {
    let board = VirtualBoard::spawn(VirtualBoardOptions::default()).unwrap();
    let mut port = open(&board.path());
    // carriage return, end of file, interrupt and suspend mean something to a terminal, nothing to a serial port
    port.write_all(b"a\rb\x03\x04\x1a\x11\x13\n").unwrap();
    wait_for("the line arrives", || board.lines_received() == 1);
    assert_eq!(board.log()[0].bytes, b"a\rb\x03\x04\x1a\x11\x13");
    read_until(&mut port, |line| {
        assert!(line.ends_with(b"\r\n") && !line.ends_with(b"\r\r\n"), "{line:?}");
        assert!(!line.starts_with(b"a"), "echo");
        true
    });
}

#[test]
fn clients_come_and_go() {
    let board = VirtualBoard::spawn(VirtualBoardOptions::default()).unwrap();
    for round in 1..=3 {
        let mut port = open(&board.path());
        read_feedback(&mut port, 3);
        port.write_all(b"{\"T\":105}\n").unwrap();
        wait_for("the line arrives", || board.lines_received() == round);
        drop(port);
        board.check().unwrap();
    }
}

/// What a client did not read is gone with it: the next one must not take an old pose for the present one.
#[test]
fn the_next_client_reads_no_old_lines() {
    let board = VirtualBoard::spawn(VirtualBoardOptions::default()).unwrap();
    let pose = board.arm_pose();
    let mut first = open(&board.path());
    wait_for("lines pile up", || rustix::io::ioctl_fionread(&first).unwrap() > 600);
    first.write_all(TURN).unwrap();
    drop(first);
    wait_for("the arm turns", || (pose.get().get(calibration::Joint::Base) - 0.5).abs() < 0.01);
    let mut second = open(&board.path());
    let mut base_rad = f64::NAN;
    read_until(&mut second, |line| match parse_line(line.trim_ascii_end()) {
        Line::Feedback(feedback) => {
            base_rad = feedback.angles.base_rad;
            true
        }
        _ => false,
    });
    // the feedback under way when the port was opened is a little older than the pose
    assert!(base_rad > 0.3, "an old line: base {base_rad} rad");
}

#[test]
fn the_link_is_stable_replaced_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (link, log) = (folder.path().join("arm"), folder.path().join("lines.log"));
    std::os::unix::fs::symlink("/nowhere", &link).unwrap();
    let options = VirtualBoardOptions {
        link: Some(link.clone()),
        log: Some(log.clone()),
        ..VirtualBoardOptions::default()
    };
    let board = VirtualBoard::spawn(options).unwrap();
    assert_eq!(std::fs::read_link(&link).unwrap(), board.path());
    let mut port = open(&link);
    port.write_all(TURN).unwrap();
    wait_for("the line arrives", || board.lines_received() == 1);
    read_feedback(&mut port, 2);
    board.stop();
    assert!(std::fs::symlink_metadata(&link).is_err(), "the link is removed at the end");

    let text = std::fs::read_to_string(log).unwrap();
    let command = format!("> {}", std::str::from_utf8(TURN.trim_ascii_end()).unwrap());
    assert_eq!(text.lines().filter(|line| line.ends_with(&command)).count(), 1);
    assert!(text.lines().filter(|line| line.contains("< {\"T\":1051,")).count() >= 2, "{text}");
    let times = text.lines().map(|line| line.split(' ').next().unwrap().parse::<f64>().unwrap());
    assert!(times.into_iter().all(|seconds| (0.0..PATIENCE.as_secs_f64()).contains(&seconds)));
}

#[test]
fn a_file_in_place_of_the_link_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("notes.txt");
    std::fs::write(&link, "mine").unwrap();
    let options = VirtualBoardOptions { link: Some(link.clone()), ..VirtualBoardOptions::default() };
    let error = VirtualBoard::spawn(options).unwrap_err();
    assert!(matches!(error, SimError::LinkTaken { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&link).unwrap(), "mine");
}

#[test]
fn g3_and_boot_are_offered() {
    let board = BoardOptions { boot: true, ..BoardOptions::new(Generation::G3) };
    let options = VirtualBoardOptions::new(board);
    let board = VirtualBoard::spawn(options).unwrap();
    let mut port = open(&board.path());
    read_until(&mut port, |line| line.starts_with(b"Server Starts."));
    assert!(!board.log().iter().any(|line| line.parsed));
    port.write_all(b"{\"T\":105}\n").unwrap();
    read_until(&mut port, |line| {
        // only G3 reports the supply
        matches!(parse_line(line.trim_ascii_end()), Line::Feedback(feedback) if feedback.supply_volt.is_some())
    });
}
