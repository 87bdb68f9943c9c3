//! The virtual board's ears: ring, queue, splices, missing fields.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use firmware_protocol::emulator::{Board, BoardOptions};
use firmware_protocol::{Command, FirmwareAngles, Generation, Joint, limits};
use proptest::prelude::*;
use support::{MS, bytes, frames, joints, running, send, text};

#[test]
fn missing_fields_are_zero() {
    let mut board = running(Generation::G1);
    board.receive(b"{\"T\":102,\"base\":0.5}\n");
    bytes(&mut board, 3000 * MS);
    let angles = board.angles();
    assert!((angles.base_rad - 0.5).abs() < 0.01 && angles.elbow_rad.abs() < 0.02 && angles.hand_rad < 1.08);
}

#[test]
fn the_ring_of_g1_loses_what_does_not_fit_while_the_board_is_deaf() {
    let mut board = running(Generation::G1);
    board.receive(b"{\"T\":111,\"cmd\":500}\n");
    bytes(&mut board, 50 * MS);
    assert!(!board.is_listening());
    for _ in 0..4 {
        send(&mut board, joints(BoardOptions::BOOT_POSE, 100, 10));
    }
    let sent = 4 * joints(BoardOptions::BOOT_POSE, 100, 10).encode(&mut [0; Command::MAX_BYTES]).len() as u64;
    bytes(&mut board, 600 * MS);
    assert_eq!(board.lost_bytes(), sent - 256);
    let lines = board.take_lines();
    assert_eq!(lines.len(), 3, "two whole lines fit");
    assert!(lines[0].bytes == b"{\"T\":111,\"cmd\":500}" && lines.iter().all(|line| line.parsed));
}

#[test]
fn a_listening_g1_loses_nothing() {
    let mut board = running(Generation::G1);
    for _ in 0..50 {
        send(&mut board, joints(BoardOptions::BOOT_POSE, 100, 10));
        bytes(&mut board, 20 * MS);
    }
    bytes(&mut board, 40 * MS);
    assert_eq!((board.lost_bytes(), board.lines_received()), (0, 50));
    assert!(board.take_lines().iter().all(|line| line.parsed));
}

/// What is lost can leave a line that parses: here the base goes to a number that nobody sent.
#[test]
fn a_splice_can_be_a_valid_command_with_a_wrong_number() {
    let mut board = running(Generation::G1);
    board.receive(b"{\"T\":111,\"cmd\":300}\n");
    bytes(&mut board, 50 * MS);
    // The ring takes the first 256 bytes: blanks, and a command up to the 1 of 1.0. The rest of it is lost.
    let head = b"{\"T\":101,\"joint\":1,\"spd\":500,\"acc\":50,\"rad\":1";
    let mut flood = vec![b' '; 256 - head.len()];
    flood.extend(head);
    flood.extend(b".0}\n");
    board.receive(&flood);
    bytes(&mut board, 400 * MS);
    assert_eq!(board.lost_bytes(), 4);
    // The next line that comes is glued to what was kept.
    board.receive(b"e-1,\"x\":0}\n");
    bytes(&mut board, 2000 * MS);
    let line = board.take_lines().pop().unwrap();
    assert!(line.parsed && line.bytes.ends_with(b"\"rad\":1e-1,\"x\":0}"), "{}", text(&line.bytes));
    assert!((board.angles().base_rad - 0.1).abs() < 0.01, "{}", board.angles().base_rad);
}

#[test]
fn a_front_truncated_command_can_be_a_stop() {
    let mut board = running(Generation::G1);
    board.receive(b"\"acc\":10}\n");
    bytes(&mut board, 100 * MS);
    assert_eq!(board.torque(), [false; 6]);
}

#[test]
fn g3_queues_fifty_and_then_says_so() {
    let mut board = running(Generation::G3);
    for _ in 0..120 {
        // As the mode after boot is, so that nothing else is printed.
        board.receive(b"{\"T\":605,\"cmd\":1 }\n");
    }
    let out = text(&bytes(&mut board, 210 * MS));
    // 120 lines arrive in 198 ms, and the loop takes one every 10 ms.
    assert!(out.contains("{\"error\":\"Queue full\"}\r\n"), "{out}");
    bytes(&mut board, 2000 * MS);
    let executed = board.take_lines().iter().filter(|line| line.parsed).count();
    assert!((65..=75).contains(&executed), "{executed}");
    assert_eq!(board.lost_bytes(), 0);
}

#[test]
fn the_queue_of_g3_holds_exactly_fifty() {
    let mut board = running(Generation::G3);
    board.receive(b"{\"T\":111,\"cmd\":1000}\n");
    bytes(&mut board, 50 * MS);
    for count in 1..=51 {
        // As the mode after boot is, so that nothing else is printed.
        board.receive(b"{\"T\":605,\"cmd\":1 }\n");
        let out = text(&bytes(&mut board, 5 * MS));
        // The task that reads the port answers, although the loop is blocked.
        assert_eq!(out, if count == 51 { "{\"error\":\"Queue full\"}\r\n" } else { "" }, "{count}");
    }
    assert_eq!(text(&bytes(&mut board, 3000 * MS)), "");
    assert_eq!(board.take_lines().iter().filter(|line| line.parsed).count(), 51);
}

#[test]
fn a_long_line_is_cut_at_255_bytes_on_g3_and_whole_on_g1() {
    let line = |bytes: usize| {
        let mut line = b"{\"T\":101,\"joint\":1,\"rad\":0.5,\"spd\":500,\"acc\":50,\"x\":\"".to_vec();
        line.resize(bytes - 2, b'y');
        line.extend(b"\"}");
        line
    };
    let moved = |generation, length| {
        let mut options = BoardOptions { keep_lines: true, ..BoardOptions::new(generation) };
        options.json = firmware_protocol::emulator::JsonLibrary::A7;
        let mut board = Board::new(options);
        board.receive(&line(length));
        board.receive(b"\n");
        bytes(&mut board, 3000 * MS);
        let taken = board.take_lines().pop().unwrap();
        let moved = (board.angles().base_rad - 0.5).abs() < 0.01;
        assert_eq!(moved, taken.parsed);
        (moved, taken.bytes.len())
    };
    assert_eq!(moved(Generation::G3, 255), (true, 255));
    assert_eq!(moved(Generation::G3, 256), (false, 255));
    assert_eq!(moved(Generation::G1, 256), (true, 256));
}

#[test]
fn g3_stops_by_text_without_losing_torque() {
    let mut board = running(Generation::G3);
    for _ in 0..20 {
        send(&mut board, joints(FirmwareAngles { base_rad: 2.0, ..BoardOptions::BOOT_POSE }, 100, 10));
    }
    board.receive(b"{\"T\":0}\n");
    bytes(&mut board, 2000 * MS);
    let lines = board.take_lines();
    assert_eq!(lines.iter().filter(|line| line.bytes == b"{\"T\":0}").count(), 1);
    assert!(lines.len() < 21, "the queue was flushed: {}", lines.len());
    assert_eq!(board.torque(), [true; 6]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// No bytes make the board panic or stop its loop for good, short of commands that block.
    #[test]
    fn any_bytes_are_survived(garbage in prop::collection::vec(any::<u8>(), 0..300), g3: bool) {
        let mut board = running(if g3 { Generation::G3 } else { Generation::G1 });
        board.receive(&garbage);
        board.receive(b"\n");
        bytes(&mut board, 15_000 * MS);
        board.receive(b"{\"T\":605,\"cmd\":2}\n");
        prop_assert!(!frames(&bytes(&mut board, 500 * MS)).is_empty());
    }

    /// encode -> board: every goal inside the generation's limits arrives as commanded and is executed.
    #[test]
    fn goals_inside_the_limits_are_reached(
        parts in prop::array::uniform6(0.0..=1.0_f64), which in 0..3_usize, speed in 1_u16..5000, acceleration in 1..=254_u8,
    ) {
        let generation = Generation::ALL[which];
        let ranges = limits::ranges(generation);
        let angles = Joint::ALL.map(|joint| {
            let range = ranges[joint.index()];
            range.min_rad + parts[joint.index()] * (range.max_rad - range.min_rad)
        });
        let mut options = BoardOptions { keep_lines: true, ..BoardOptions::new(generation) };
        options.servos.instant = true;
        let mut board = Board::new(options);
        send(&mut board, joints(FirmwareAngles::from_array(angles), speed, acceleration));
        bytes(&mut board, 100 * MS);
        let lines = board.take_lines();
        prop_assert_eq!(lines.len(), 1);
        prop_assert!(lines[0].parsed);
        for (reached, wanted) in board.angles().to_array().into_iter().zip(angles) {
            // Half a step of rounding, one of bias.
            prop_assert!((reached - wanted).abs() < 1.6 * firmware_protocol::steps::STEP_RAD);
        }
    }
}
