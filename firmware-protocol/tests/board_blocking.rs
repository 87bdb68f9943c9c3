//! What makes the virtual board deaf, and for how long (reference: the firmware's own waits and delays).
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod support;

use std::time::Duration;

use firmware_protocol::emulator::{Board, BoardOptions};
use firmware_protocol::{FirmwareAngles, Generation};
use support::{MS, bytes, frames, joints, running, send, text, time_until};

/// Time for which a line keeps the board from listening, from the moment that it stops.
fn deaf(board: &mut Board, line: &[u8], limit: Duration) -> Duration {
    board.receive(line);
    time_until(board, 100 * MS, |board| !board.is_listening()).unwrap();
    time_until(board, limit, Board::is_listening).unwrap()
}

/// The same for lines that hardly block: from the line's arrival, in steps of 0.1 ms.
fn pause(line: &[u8], dead: bool) -> Duration {
    let mut board = running(Generation::G1);
    board.receive(b"{\"T\":605,\"cmd\":0}\n");
    bytes(&mut board, 300 * MS);
    board.set_dead([dead; 7]);
    board.receive(line);
    let tenth = Duration::from_micros(100);
    let (mut blocked, start) = (Duration::ZERO, board.now());
    while board.now() - start < 4000 * MS {
        board.advance(tenth);
        if !board.is_listening() {
            blocked += tenth;
        }
    }
    blocked
}

#[test]
fn stop_makes_g1_limp_and_deaf_for_ten_seconds() {
    let mut board = running(Generation::G1);
    send(&mut board, joints(BoardOptions::BOOT_POSE, 3000, 200));
    bytes(&mut board, 3000 * MS);
    let held = board.angles();
    board.receive(b"{}\n");
    bytes(&mut board, 5000 * MS);
    assert_eq!(board.torque(), [false; 6]);
    let fallen = board.angles();
    assert!(
        fallen.elbow_rad - held.elbow_rad > 0.3 || fallen.shoulder_rad - held.shoulder_rad > 0.3,
        "{fallen:?}"
    );
    assert!(!board.is_listening());
    bytes(&mut board, 5100 * MS);
    assert_eq!(board.torque(), [true; 6]);
    assert!(board.is_listening());
    let caught = board.angles();
    bytes(&mut board, 500 * MS);
    assert!((board.angles().elbow_rad - caught.elbow_rad).abs() < 0.02, "it holds where it is by default");
    let again = deaf(&mut board, b"{\"T\":0}\n", 11_000 * MS);
    assert!((again.as_secs_f64() - 10.0).abs() < 0.05, "{again:?}");
}

#[test]
fn homing_takes_its_waits_and_the_way_at_600_steps_a_second() {
    // At home already: 1.2 s and 1 s of delays.
    let at_home = deaf(&mut running(Generation::G1), b"{\"T\":100}\n", 10_000 * MS);
    assert!((2.2..2.4).contains(&at_home.as_secs_f64()), "{at_home:?}");
    let mut board = running(Generation::G1);
    let away = FirmwareAngles { shoulder_rad: 1.0, ..BoardOptions::BOOT_POSE };
    send(&mut board, joints(away, 3000, 200));
    bytes(&mut board, 3000 * MS);
    // 652 steps but for the last 120, at up to 600 steps/s with 2000 steps/s².
    let homing = deaf(&mut board, b"{\"T\":100}\n", 10_000 * MS).as_secs_f64() - 2.2;
    assert!((532.0 / 600.0..1.4).contains(&homing), "{homing}");
}

#[test]
fn homing_waits_for_ever_for_a_shoulder_that_cannot_come() {
    let mut board = running(Generation::G1);
    let away = FirmwareAngles { shoulder_rad: 1.0, ..BoardOptions::BOOT_POSE };
    send(&mut board, joints(away, 3000, 200));
    bytes(&mut board, 3000 * MS);
    board.set_stuck(firmware_protocol::Joint::Shoulder, true);
    board.receive(b"{\"T\":100}\n");
    bytes(&mut board, 60_000 * MS);
    assert!(!board.is_listening());
    board.set_stuck(firmware_protocol::Joint::Shoulder, false);
    bytes(&mut board, 8_000 * MS);
    assert!(board.is_listening());
}

#[test]
fn a_delay_is_as_long_as_it_says() {
    for generation in [Generation::G1, Generation::G3] {
        let time = deaf(&mut running(generation), b"{\"T\":111,\"cmd\":700}\n", 2000 * MS);
        assert!((time.as_secs_f64() - 0.7).abs() < 0.02, "{generation} {time:?}");
    }
}

#[test]
fn motion_commands_do_not_block() {
    for line in [
        &b"{\"T\":101,\"joint\":2,\"rad\":0.2,\"spd\":100,\"acc\":10}\n"[..],
        b"{\"T\":102,\"base\":0.1,\"shoulder\":0.1,\"elbow\":1.5,\"wrist\":0,\"roll\":0,\"hand\":3,\"spd\":100,\"acc\":10}\n",
        b"{\"T\":121,\"joint\":3,\"angle\":80,\"spd\":10,\"acc\":1}\n",
        b"{\"T\":122,\"b\":5,\"s\":5,\"e\":85,\"t\":0,\"r\":0,\"h\":170,\"spd\":10,\"acc\":1}\n",
        b"{\"T\":1041,\"x\":300,\"y\":0,\"z\":200,\"t\":0,\"r\":0,\"g\":3}\n",
        b"{\"T\":106,\"cmd\":2,\"spd\":100,\"acc\":10}\n",
    ] {
        let time = pause(line, false);
        assert!(time <= 3 * MS, "{} {time:?}", text(line));
    }
}

#[test]
fn folding_before_letting_go_blocks_g3() {
    let mut board = running(Generation::G3);
    let time = deaf(&mut board, b"{\"T\":210,\"cmd\":0}\n", 10_000 * MS).as_secs_f64();
    // Shoulder and elbow have 1024 steps to go at 600 steps/s, less the window of the wait.
    assert!((1.4..2.5).contains(&time), "{time}");
    assert_eq!(board.torque(), [false; 6]);
    let mut g1 = running(Generation::G1);
    g1.receive(b"{\"T\":210,\"cmd\":0}\n");
    bytes(&mut g1, 50 * MS);
    assert_eq!(g1.torque(), [false; 6]);
    assert!(g1.is_listening());
}

#[test]
fn boot_talks_homes_and_then_streams() {
    let start = FirmwareAngles::from_array([1.0, 0.6, 0.9, 0.3, -0.5, 2.0]);
    let options = BoardOptions { boot: true, initial: start, ..BoardOptions::new(Generation::G1) };
    let mut board = Board::new(options);
    let early = bytes(&mut board, 3000 * MS);
    assert!(frames(&early).is_empty());
    assert!(text(&early).contains("rst:0x1") && text(&early).contains("All bus servos status checked.\r\n"));
    // Reference: at least 1.2 + 0.5 + 1.2 + 1.0 s and the way.
    assert!(!board.is_listening());
    let late = bytes(&mut board, 7000 * MS);
    let words = text(&late);
    assert!(
        words.contains("Server Starts.\r\n24:6F:28:12:34:56\r\n---=== File Content ===---\r\n"),
        "{words}"
    );
    assert!(frames(&late).len() > 50);
    let home = board.angles();
    assert!(
        (home.base_rad).abs() < 0.01
            && (home.elbow_rad - FirmwareAngles::HOME.elbow_rad).abs() < 0.05
            && home.shoulder_rad.abs() < 0.05
    );
    board.receive(b"{\"T\":600}\n");
    let again = bytes(&mut board, 300 * MS);
    assert!(text(&again).contains("rst:0x"));
}
