//! A running board and a host's few moves, for the tests of the virtual board.
#![allow(clippy::unwrap_used, dead_code, missing_docs)]

use std::time::Duration;

use firmware_protocol::emulator::{Board, BoardOptions, ServoOptions};
use firmware_protocol::{
    Command, Feedback, FirmwareAngles, Generation, GoalAngles, Line, LineSplitter, ServoAcceleration,
    ServoSpeed, parse_line,
};

pub(crate) const MS: Duration = Duration::from_millis(1);

pub(crate) fn running(generation: Generation) -> Board {
    Board::new(BoardOptions { keep_lines: true, ..BoardOptions::new(generation) })
}

/// A running G1 board with the stock arm.
pub(crate) fn stock() -> Board {
    Board::new(BoardOptions { servos: ServoOptions::stock(), ..BoardOptions::new(Generation::G1) })
}

pub(crate) fn send(board: &mut Board, command: Command) {
    board.receive(command.encode(&mut [0; Command::MAX_BYTES]));
}

pub(crate) fn joints(angles: FirmwareAngles, speed: u16, acceleration: u8) -> Command {
    Command::Joints {
        goal: GoalAngles::new(angles).unwrap(),
        speed: ServoSpeed::new(speed).unwrap(),
        acceleration: ServoAcceleration::new(acceleration).unwrap(),
    }
}

pub(crate) fn bytes(board: &mut Board, duration: Duration) -> Vec<u8> {
    board.advance(duration);
    let mut out = Vec::new();
    board.transmit(&mut out);
    out
}

pub(crate) fn frames(bytes: &[u8]) -> Vec<Feedback> {
    let (mut lines, mut frames) = (LineSplitter::<512>::new(), Vec::new());
    lines.push(bytes, |line| {
        if let Line::Feedback(feedback) = parse_line(line) {
            frames.push(feedback);
        }
    });
    frames
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Time from now until a condition holds, looked at every millisecond, if it does within `limit`.
pub(crate) fn time_until(
    board: &mut Board,
    limit: Duration,
    mut condition: impl FnMut(&Board) -> bool,
) -> Option<Duration> {
    let start = board.now();
    while !condition(board) {
        if board.now() - start >= limit {
            return None;
        }
        board.advance(MS);
    }
    Some(board.now() - start)
}
