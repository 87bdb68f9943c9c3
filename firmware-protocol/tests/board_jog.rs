//! T:123 on the virtual board, in virtual time: how fast it goes, when it ends, and that it does not.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::time::Duration;

use firmware_protocol::emulator::{Board, BoardOptions};
use firmware_protocol::{Generation, kinematics};

const MS: Duration = Duration::from_millis(1);

fn board(generation: Generation, feedback_mode: u8) -> Board {
    let mut options = BoardOptions { keep_writes: true, ..BoardOptions::new(generation) };
    options.servos.sag_deg = 0.0;
    let mut board = Board::new(options);
    board.receive(format!("{{\"T\":605,\"cmd\":{feedback_mode}}}\n").as_bytes());
    board.advance(200 * MS);
    board
}

fn jog(board: &mut Board, mode: u8, axis: u8, command: u8, speed: u8) {
    let line = format!("{{\"T\":123,\"m\":{mode},\"axis\":{axis},\"cmd\":{command},\"spd\":{speed}}}\n");
    board.receive(line.as_bytes());
    board.advance(100 * MS);
}

#[test]
fn a_joint_turns_as_fast_as_the_loop_lets_it() {
    // 0.01 rad a tick, a tick a pass but at most one in 10 ms: 56 Hz while streaming; almost 100 Hz when quiet.
    for (feedback_mode, slowest, fastest) in [(2, 0.53, 0.60), (0, 0.85, 1.0)] {
        let mut board = board(Generation::G1, feedback_mode);
        jog(&mut board, 0, 1, 1, 20);
        let before = board.angles().base_rad;
        board.advance(2000 * MS);
        let rad_per_s = (board.angles().base_rad - before) / 2.0;
        assert!((slowest..=fastest).contains(&rad_per_s), "mode {feedback_mode}: {rad_per_s} rad/s");
    }
}

#[test]
fn it_goes_on_without_the_host_and_ends_at_the_limit() {
    let mut board = board(Generation::G1, 0);
    jog(&mut board, 0, 1, 2, 50);
    board.advance(1000 * MS);
    assert!(board.angles().base_rad < -1.5, "nobody has spoken for a second");
    board.advance(3000 * MS);
    assert!((board.angles().base_rad + core::f64::consts::PI).abs() < 0.01);
    board.take_writes();
    board.advance(500 * MS);
    assert!(board.take_writes().is_empty(), "at the limit the axis is off");
}

#[test]
fn stop_with_speed_zero_freezes_the_other_axes_but_holds_them_active() {
    let mut board = board(Generation::G1, 0);
    jog(&mut board, 0, 1, 1, 20);
    jog(&mut board, 0, 5, 1, 20);
    jog(&mut board, 0, 5, 0, 0);
    let base = board.goal().base_rad;
    board.take_writes();
    board.advance(1000 * MS);
    assert!((board.goal().base_rad - base).abs() < 1e-9);
    assert!(board.take_writes().len() > 80, "the base is still commanded, every pass");
    // So a T:102 is undone in the same pass.
    board.receive(
        b"{\"T\":102,\"base\":-1,\"shoulder\":0,\"elbow\":1.57,\"wrist\":0,\"roll\":0,\"hand\":3,\"spd\":500,\"acc\":20}\n",
    );
    board.advance(200 * MS);
    assert!((board.goal().base_rad - base).abs() < 1e-9);
    jog(&mut board, 0, 1, 0, 0);
    board.take_writes();
    board.advance(200 * MS);
    assert!(board.take_writes().is_empty());
}

#[test]
fn a_coordinate_moves_in_a_straight_line_and_closes_the_hand() {
    let mut board = board(Generation::G1, 0);
    board.receive(b"{\"T\":106,\"cmd\":2,\"spd\":0,\"acc\":0}\n");
    board.advance(1500 * MS);
    let from = kinematics::forward(board.goal()).position_mm;
    // 1 mm a tick.
    jog(&mut board, 1, 3, 2, 10);
    board.advance(900 * MS);
    jog(&mut board, 1, 3, 0, 10);
    let to = kinematics::forward(board.goal()).position_mm;
    assert!((-110.0..-80.0).contains(&(to[2] - from[2])), "{from:?} {to:?}");
    assert!((to[0] - from[0]).abs() < 1.5 && (to[1] - from[1]).abs() < 1.5, "{from:?} {to:?}");
    assert!((board.goal().hand_rad - core::f64::consts::PI).abs() < 0.01);
}

#[test]
fn the_elbow_of_g3_ends_at_zero() {
    for (generation, end) in [(Generation::G1, -core::f64::consts::FRAC_PI_4), (Generation::G3, 0.0)] {
        let mut board = board(generation, 0);
        jog(&mut board, 0, 3, 2, 50);
        board.advance(4000 * MS);
        assert!((board.goal().elbow_rad - end).abs() < 0.002, "{generation}: {}", board.goal().elbow_rad);
    }
}
