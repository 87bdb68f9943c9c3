//! The hold by the link, judged by what reached the virtual board.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::f64::consts::TAU;
use std::time::Duration;

use firmware_protocol::emulator::BoardOptions;
use firmware_protocol::{FirmwareAngles, Generation};

use super::test_bench::{Bench, Tail, command, frame, home};
use super::test_rig::Rig;
use super::*;
use crate::types::{Joint, JointAngles};

const DECELERATION: f64 = 6.0;

impl Rig {
    fn take_over(&mut self) {
        let Self { machine, events, .. } = self;
        machine.take_over(&mut |event| events.push(event));
    }
}

fn rig(generation: Generation) -> Rig {
    let mut rig = Rig::new(BoardOptions::new(generation));
    let options = LinkOptions { stop_deceleration_rad_s2: DECELERATION, ..LinkOptions::default() };
    rig.machine = LinkMachine::new(options, rig.now);
    rig.idle(Duration::from_millis(1500));
    assert!(rig.machine.is_connected());
    rig
}

/// A swing of base and gripper, at most 1 rad/s, that changes its velocity gently: by the time, not by the count of commands.
fn swing(now: Timestamp) -> JointAngles {
    let phase = TAU * now.since(Timestamp::from_nanos(2_500_000_000)).as_secs_f64() / 4.0;
    let mut goal = JointAngles::from(BoardOptions::BOOT_POSE);
    goal.set(Joint::Base, (1.0 - phase.cos()) * 0.6);
    goal.set(Joint::Gripper, 0.3 + (1.0 - phase.cos()) * 0.3);
    goal
}

/// Base goals that the board took in, with the time of each, seconds.
fn base_goals(rig: &mut Rig) -> Vec<(f64, f64)> {
    let number = |text: &str| text.split([',', '}']).next().unwrap().parse::<f64>().unwrap();
    let lines = rig.board.take_lines();
    lines
        .iter()
        .filter(|line| line.bytes.starts_with(b"{\"T\":102,"))
        .map(|line| {
            let text = std::str::from_utf8(&line.bytes).unwrap();
            (line.at.as_secs_f64(), number(text.split("\"base\":").nth(1).unwrap()))
        })
        .collect()
}

/// Moments over a whole swing, so at every speed and in both directions, and with every place within a frame.
#[test]
fn a_moving_arm_comes_to_rest_within_the_deceleration_whenever_control_dies() {
    for generation in [Generation::G1, Generation::G3] {
        for moment in 0..60_u64 {
            let mut rig = rig(generation);
            while rig.now < Timestamp::from_nanos(2_500_000_000 + moment * 67_000_000) {
                let goal = swing(rig.now);
                rig.run(Duration::from_millis(1), |_| Some(goal));
            }
            let before = rig.machine.statistics().commands;
            let reports = rig.written.len();
            rig.take_over();
            // Control hangs but lives: it goes on offering.
            for _ in 0..2000 {
                let goal = swing(rig.now);
                rig.run(Duration::from_millis(1), |_| Some(goal));
            }
            assert_eq!(rig.machine.fault(), Some(LinkFault::TakenOver), "{generation} {moment}");
            assert_eq!(rig.written.len(), reports, "nothing of control's was written");
            let goals = base_goals(&mut rig);
            if before < 2 {
                continue;
            }
            let own = usize::try_from(rig.machine.statistics().commands - before).unwrap();
            // The hold: the last goal again and again for half a second, a frame each.
            let last = goals.last().unwrap().1;
            let held = goals.iter().rev().take_while(|(_, goal)| *goal == last).count();
            let frames = if generation == Generation::G3 { 15 } else { 22 };
            assert!(held >= frames && own >= held - 1, "{generation} {moment}: held {held} of {own}");
            // The stop: from the velocity of the last two goals of control, by no more than the deceleration.
            let from = goals.len() - own - 2;
            let velocity = |at: usize| {
                let elapsed = goals[at + 1].0 - goals[at].0;
                ((goals[at + 1].1 - goals[at].1) / elapsed, elapsed)
            };
            let first = velocity(from).0;
            let way = (last - goals[from + 1].1).abs();
            assert!(
                way <= first * first / (2.0 * DECELERATION) + 0.02,
                "{generation} {moment}: went on for {way}"
            );
            for at in from..goals.len() - 2 {
                let ((speed, _), (next, elapsed)) = (velocity(at), velocity(at + 1));
                // The wire has 0.1 mrad digits, and the board takes lines in once a pass: up to a pass early or late.
                let slack = 2.0 * 1e-4 / elapsed + first.abs() * 0.6;
                assert!(
                    next.abs() <= speed.abs() + slack,
                    "{generation} {moment}: faster, {speed} to {next}"
                );
                assert!(
                    (speed - next).abs() <= DECELERATION * elapsed + slack,
                    "{generation} {moment}: {speed} to {next}"
                );
            }
        }
    }
}

#[test]
fn nothing_is_written_for_an_arm_that_was_never_commanded() {
    let mut rig = rig(Generation::G1);
    assert!(!rig.machine.owes_hold());
    rig.take_over();
    rig.idle(Duration::from_secs(1));
    assert_eq!(*rig.events.last().unwrap(), LinkEvent::Fault(LinkFault::TakenOver));
    assert_eq!(rig.machine.statistics().take_overs, 0);
    assert_eq!(base_goals(&mut rig), []);
}

#[test]
fn the_line_in_flight_is_completed_first_and_counts_as_the_last_goal() {
    let mut rig = rig(Generation::G1);
    let mut goal = JointAngles::from(BoardOptions::BOOT_POSE);
    goal.set(Joint::Base, 0.01);
    let command = JointCommand {
        sequence: 0,
        tick: 0,
        goal,
        profile: crate::types::ServoProfile { speed_rad_s: 3.0, acceleration_rad_s2: 7.7 },
    };
    let line = rig.machine.write_joints(&command).unwrap().to_vec();
    rig.board.receive(&line[..40]);
    rig.take_over();
    assert!(rig.machine.is_taking_over());
    let mut nothing = WriteBuffer::default();
    rig.machine.poll(rig.now, &mut nothing, &mut |_| {});
    assert!(nothing.is_empty(), "two lines would mix");
    rig.board.receive(&line[40..]);
    assert_eq!(rig.machine.written(rig.now), None, "control is gone");
    rig.idle(Duration::from_secs(1));
    let goals = base_goals(&mut rig);
    assert!(goals.len() > 20 && goals.iter().all(|(_, base)| *base == 0.01), "{goals:?}");
}

#[test]
fn a_board_that_resets_or_falls_silent_ends_the_take_over() {
    for event in ["reset", "silence", "port"] {
        let mut rig = rig(Generation::G1);
        rig.run(Duration::from_millis(500), |_| Some(JointAngles::from(BoardOptions::BOOT_POSE)));
        rig.take_over();
        match event {
            "reset" => rig.machine.receive(
                b"\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n",
                rig.now,
                &mut |_| {},
            ),
            "port" => rig.machine.port_lost(rig.now, &mut |_| {}),
            _ => {
                let mut nothing = WriteBuffer::default();
                rig.machine.poll(rig.now + Duration::from_secs(2), &mut nothing, &mut |_| {});
                assert!(nothing.is_empty());
            }
        }
        assert_eq!(rig.machine.fault(), Some(LinkFault::TakenOver), "{event}");
    }
}

/// G3 says that somebody switched the torque off: a command would switch it on again.
#[test]
fn a_limp_arm_is_left_alone() {
    let mut rig = rig(Generation::G3);
    rig.run(Duration::from_millis(500), |_| Some(JointAngles::from(BoardOptions::BOOT_POSE)));
    rig.board.receive(b"{\"T\":210,\"cmd\":0}\n");
    rig.idle(Duration::from_secs(8));
    assert_eq!(rig.board.torque(), [false; 6]);
    let before = base_goals(&mut rig).len();
    assert!(before > 10);
    rig.take_over();
    assert_eq!(rig.machine.statistics().take_overs, 0);
    rig.idle(Duration::from_secs(1));
    assert_eq!(base_goals(&mut rig), []);
    assert_eq!(rig.board.torque(), [false; 6]);
}

#[test]
fn an_arm_that_goes_limp_during_the_hold_is_left_alone_from_then_on() {
    let mut bench = Bench::usual();
    let held = frame(FirmwareAngles::HOME, Tail::Keys24 { torque: 1, supply: 1200 });
    let limp = frame(FirmwareAngles::HOME, Tail::Keys24 { torque: 0, supply: 1200 });
    bench.stream(&held, Duration::from_millis(1500));
    bench.machine.write_joints(&command(0)).unwrap();
    bench.machine.written(bench.now).unwrap();
    bench.machine.take_over(&mut |_| {});
    bench.feed(&held);
    bench.sent.clear();
    bench.wait(Duration::from_millis(10));
    assert!(bench.sent.starts_with(b"{\"T\":102,"), "it holds");
    bench.machine.written(bench.now);
    bench.feed(&limp);
    bench.sent.clear();
    bench.wait(Duration::from_secs(1));
    assert_eq!((bench.sent.len(), bench.machine.fault()), (0, Some(LinkFault::TakenOver)));
}

/// A frame gives room for a goal, but the line before it has not left yet, or other bytes have not.
#[test]
fn a_goal_of_a_take_over_waits_for_the_line_in_flight_and_for_an_empty_buffer() {
    let mut bench = Bench::ready();
    bench.machine.write_joints(&command(0)).unwrap();
    bench.machine.take_over(&mut |_| {});
    bench.feed(&home());
    let mut out = WriteBuffer::default();
    bench.machine.poll(bench.now, &mut out, &mut |_| {});
    assert!(out.is_empty(), "two lines would mix");
    assert_eq!(bench.machine.written(bench.now), None, "control is gone");
    out.push(b"rest of a line\n").unwrap();
    bench.machine.poll(bench.now, &mut out, &mut |_| {});
    assert_eq!(out.pending(), b"rest of a line\n");
    out.advance(out.pending().len());
    bench.machine.poll(bench.now, &mut out, &mut |_| {});
    assert!(out.pending().starts_with(b"{\"T\":102,"));
}

/// The machine was busy: the link ran, the board did not, and for most of the hold's time no frame gave room for a goal.
#[test]
fn a_hold_is_repeated_often_enough_however_slow_the_board_is() {
    for stalled_ms in [0, 400, 900] {
        let mut rig = rig(Generation::G1);
        for _ in 0..1000 {
            let goal = swing(rig.now);
            rig.run(Duration::from_millis(1), |_| Some(goal));
        }
        rig.take_over();
        // It brakes, and comes to rest.
        rig.idle(Duration::from_millis(250));
        assert_eq!(rig.machine.fault(), None);
        let until = rig.now + Duration::from_millis(stalled_ms);
        while rig.now < until {
            rig.machine.poll(rig.now, &mut WriteBuffer::default(), &mut |_| {});
            rig.now = rig.now + Duration::from_millis(10);
        }
        rig.idle(Duration::from_secs(1));
        assert_eq!(rig.machine.fault(), Some(LinkFault::TakenOver), "{stalled_ms}");
        let goals = base_goals(&mut rig);
        let last = goals.last().unwrap().1;
        let held = goals.iter().rev().take_while(|(_, goal)| *goal == last).count();
        assert!(held > 10, "{stalled_ms}: held {held}");
    }
}

/// Frames come, and no byte is taken: a hold that cannot be written has an end too.
#[test]
fn a_port_that_takes_nothing_is_given_up() {
    let mut rig = rig(Generation::G1);
    rig.run(Duration::from_millis(500), |_| Some(JointAngles::from(BoardOptions::BOOT_POSE)));
    rig.take_over();
    let mut blocked = WriteBuffer::default();
    for _ in 0..5000 {
        rig.machine.poll(rig.now, &mut blocked, &mut |_| {});
        rig.board.advance(Duration::from_millis(1));
        rig.now = rig.now + Duration::from_millis(1);
        let mut bytes = Vec::new();
        rig.board.transmit(&mut bytes);
        rig.machine.receive(&bytes, rig.now, &mut |_| {});
    }
    assert!(!blocked.is_empty());
    assert_eq!(rig.machine.fault(), Some(LinkFault::TakenOver));
}

/// The board went to a pose of its own: a hold would tear the arm back to where it was before.
#[test]
fn goals_of_before_a_reset_are_not_held_after_it() {
    let mut rig = rig(Generation::G1);
    let mut goal = JointAngles::from(BoardOptions::BOOT_POSE);
    goal.set(Joint::Base, 0.3);
    rig.run(Duration::from_secs(1), |_| Some(goal));
    let reset = b"\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n";
    rig.machine.receive(reset, rig.now, &mut |_| {});
    assert!(!rig.machine.is_connected());
    rig.idle(Duration::from_millis(1500));
    assert!(rig.machine.is_connected() && !rig.machine.owes_hold());
    let before = base_goals(&mut rig).len();
    assert!(before > 10);
    rig.take_over();
    rig.idle(Duration::from_secs(1));
    assert_eq!(base_goals(&mut rig), []);
}

#[test]
fn a_take_over_keeps_the_pace_of_the_frames() {
    for generation in [Generation::G1, Generation::G3] {
        let mut rig = rig(generation);
        for _ in 0..1000 {
            let goal = swing(rig.now);
            rig.run(Duration::from_millis(1), |_| Some(goal));
        }
        let before = rig.machine.statistics();
        rig.take_over();
        rig.idle(Duration::from_secs(2));
        let after = rig.machine.statistics();
        let (own, frames) = (after.commands - before.commands, after.feedback_lines - before.feedback_lines);
        assert!(own > 10 && own <= frames + 1, "{generation}: {own} goals in {frames} frames");
        assert_eq!((rig.board.lost_bytes(), after.queue_full), (0, 0), "{generation}");
    }
}
