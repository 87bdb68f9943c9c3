//! The machine against the virtual board, in virtual time.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use firmware_protocol::emulator::{Board, BoardOptions};
use firmware_protocol::{FirmwareAngles, Generation};

use super::test_rig::Rig;
use super::*;
use crate::types::JointAngles;

/// A slow sweep of the base.
fn sweep(sequence: u64) -> Option<JointAngles> {
    let mut goal = JointAngles::from(BoardOptions::BOOT_POSE);
    goal.set(crate::types::Joint::Base, (sequence as f64 * 0.01).sin() * 0.5);
    Some(goal)
}

#[test]
fn a_running_board_is_ready_after_a_second_of_stillness() {
    for generation in [Generation::G1, Generation::G3] {
        let mut rig = Rig::new(BoardOptions::new(generation));
        rig.idle(Duration::from_millis(1000));
        assert_eq!(rig.events, [], "{generation}: the arm must be seen to stand still for 1 s");
        rig.idle(Duration::from_millis(300));
        assert_eq!(rig.events, [LinkEvent::Ready { generation }]);
        let lines = rig.board.take_lines();
        assert!(lines.iter().all(|line| line.parsed || line.bytes.is_empty()), "{lines:?}");
    }
}

#[test]
fn a_booting_board_is_waited_for() {
    for generation in [Generation::G1, Generation::G3] {
        let mut rig = Rig::new(BoardOptions { boot: true, ..BoardOptions::new(generation) });
        rig.idle(Duration::from_secs(29));
        assert_eq!(rig.events, [LinkEvent::Booting, LinkEvent::Ready { generation }], "{generation}");
        assert_eq!(rig.board.lost_bytes(), 0, "{generation}: the handshakes fit into the receive ring");
    }
}

#[test]
fn a_quiet_board_is_woken() {
    let mut rig = Rig::new(BoardOptions::new(Generation::G1));
    rig.board.receive(b"{\"T\":605,\"cmd\":0}\n");
    rig.board.advance(Duration::from_millis(500));
    rig.board.transmit(&mut Vec::new());
    rig.idle(Duration::from_millis(1500));
    assert_eq!(rig.events, [LinkEvent::Ready { generation: Generation::G1 }]);
}

#[test]
fn a_half_line_of_an_earlier_client_does_no_harm() {
    let mut rig = Rig::new(BoardOptions::new(Generation::G1));
    rig.board.receive(b"{\"T\":102,\"base\":0.5,");
    rig.board.advance(Duration::from_millis(50));
    rig.idle(Duration::from_secs(2));
    assert_eq!(rig.events, [LinkEvent::Ready { generation: Generation::G1 }]);
    assert_eq!(rig.board.torque(), [true; 6], "nothing parsed as an emergency stop");
}

/// The paces that issue 2 asks for, and the promises behind them: nothing lost, nothing queued, every line whole.
#[test]
fn commands_keep_pace_with_the_frames_and_reach_the_board_whole() {
    for (generation, hz) in [(Generation::G1, 45.0), (Generation::G3, 30.0)] {
        let mut rig = Rig::new(BoardOptions::new(generation));
        rig.idle(Duration::from_millis(1500));
        let (seconds, frames) = (10.0, rig.samples.len());
        rig.run(Duration::from_secs_f64(seconds), sweep);
        let commands = rig.written.len();
        assert!(commands as f64 >= hz * seconds, "{generation}: {commands} commands in {seconds} s");
        assert!(commands <= rig.samples.len() - frames + 1, "{generation}: more commands than frames");
        // Two frames later the board must have taken the last one: no queue was built.
        rig.idle(Duration::from_millis(60));
        let lines = rig.board.take_lines();
        let joints: Vec<_> = lines.iter().filter(|line| line.bytes.starts_with(b"{\"T\":102,")).collect();
        assert_eq!(joints.len(), commands, "{generation}");
        assert!(joints.iter().all(|line| line.parsed && line.bytes.ends_with(b"}")));
        assert_eq!(rig.board.lost_bytes(), 0);
        assert_eq!(rig.machine.statistics().queue_full, 0);
        assert_eq!(rig.machine.statistics().commands, commands as u64);
        let order: Vec<u64> = rig.written.iter().map(|report| report.command.sequence).collect();
        assert!(order.is_sorted());
    }
}

#[test]
fn the_arm_goes_where_it_is_sent() {
    let mut rig = Rig::new(BoardOptions::new(Generation::G1));
    let goal = JointAngles::from_array_rad([0.3, 0.1, 1.4, 0.2, -0.3, 0.5]);
    rig.run(Duration::from_secs(6), |_| Some(goal));
    let last = rig.samples.last().unwrap();
    assert!(last.angles.max_difference(&goal) < 0.03, "{:?}", last.angles);
    let real = JointAngles::from(rig.board.angles());
    assert!(last.angles.max_difference(&real) < 0.005);
}

/// A pose is stamped when it held, not when it arrived.
#[test]
fn stamps_lie_before_arrival_by_the_wire_time() {
    let mut rig = Rig::new(BoardOptions::new(Generation::G1));
    rig.idle(Duration::from_millis(500));
    let gaps: Vec<f64> =
        rig.samples.windows(2).map(|pair| pair[1].measured.seconds_since(pair[0].measured)).collect();
    assert!(gaps.iter().all(|gap| (0.014..0.024).contains(gap)), "{gaps:?}");
    let age = rig.now.since(rig.samples.last().unwrap().measured);
    assert!(age >= BYTE_TIME * 190, "a line of 190 bytes and more is older than its time on the wire");
}

#[test]
fn servos_dead_at_boot_are_an_error() {
    let mut rig = Rig::new(BoardOptions::new(Generation::G1));
    rig.board = {
        let mut options = BoardOptions { boot: true, ..BoardOptions::new(Generation::G1) };
        options.servos.dead = [true; 7];
        Board::new(options)
    };
    rig.idle(Duration::from_secs(30));
    assert_eq!(*rig.events.last().unwrap(), LinkEvent::Fault(LinkFault::DeadBus), "{:?}", rig.events);
    assert_eq!(rig.samples.len(), 0, "no pose of a dead bus is shown");
}

#[test]
fn a_board_that_restarts_is_waited_for_and_used_again() {
    let mut rig = Rig::new(BoardOptions::new(Generation::G1));
    rig.run(Duration::from_secs(3), |_| Some(JointAngles::from(FirmwareAngles::HOME)));
    let before = rig.written.len();
    rig.board.receive(b"{\"T\":600}\n");
    rig.run(Duration::from_secs(28), |_| Some(JointAngles::from(FirmwareAngles::HOME)));
    let ready = LinkEvent::Ready { generation: Generation::G1 };
    assert_eq!(rig.events.first(), Some(&ready));
    assert_eq!(rig.events.last(), Some(&ready));
    assert!(
        rig.events.iter().any(|event| matches!(event, LinkEvent::FeedbackLost | LinkEvent::BoardReset)),
        "{:?}",
        rig.events
    );
    assert!(rig.written.len() > before + 45, "commands flow again");
}
