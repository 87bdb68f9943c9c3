//! Who holds the arm when its control side is gone, on pseudo-terminals. Order, counts and goals are asserted, never times of the
//! wall clock.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use firmware_protocol::emulator::{Board, BoardOptions};

use super::test_pty::{Pty, PtyBoard};
use super::tests::{options, until, wait_ready};
use super::*;
use crate::types::{Joint, JointAngles, JointCommand, Parked};

const DECELERATION: f64 = 6.0;
/// Of the swing below, rad/s.
const TOP_SPEED: f64 = 0.6 * std::f64::consts::TAU / 3.0;

fn swing(sequence: u64, since: Instant) -> JointCommand {
    let mut goal = JointAngles::from(BoardOptions::BOOT_POSE);
    let phase = std::f64::consts::TAU * since.elapsed().as_secs_f64() / 3.0;
    goal.set(Joint::Base, 0.6 * (1.0 - phase.cos()));
    JointCommand {
        sequence,
        tick: sequence,
        goal,
        profile: crate::types::ServoProfile { speed_rad_s: 3.0, acceleration_rad_s2: 7.7 },
    }
}

struct Rig {
    board: PtyBoard,
    arm: SerialArm,
    handle: ArmHandle,
    /// Last command that control knows to be written.
    last: Option<JointCommand>,
    began: Instant,
    sequence: u64,
}

impl Rig {
    fn moving(generation: Generation, commands: u64) -> Self {
        Self::moving_with(generation, commands, LinkHooks::default())
    }

    fn moving_with(generation: Generation, commands: u64, hooks: LinkHooks) -> Self {
        let board = Pty::open().serve(BoardOptions::new(generation));
        let options = LinkOptions {
            stop_deceleration_rad_s2: DECELERATION,
            hold_time: Duration::from_millis(200),
            ..options()
        };
        let (arm, handle) = SerialArm::open_with(board.slave(), options, hooks).unwrap();
        wait_ready(&arm).unwrap();
        let mut rig = Self { board, arm, handle, last: None, began: Instant::now(), sequence: 0 };
        until("written commands", || {
            rig.offer();
            rig.last.is_some_and(|last| last.sequence >= commands)
        });
        rig
    }

    fn offer(&mut self) {
        while let Some(report) = self.handle.take_written() {
            self.last = Some(report.command);
        }
        if self.handle.status().ready {
            self.handle.offer(swing(self.sequence, self.began));
            self.sequence += 1;
        }
    }
}

/// Base goals that the board took in.
fn base_goals(board: PtyBoard) -> Vec<f64> {
    // The board reads what is still on the wire.
    std::thread::sleep(Duration::from_millis(100));
    let mut board: Board = board.end();
    assert_eq!(board.lost_bytes(), 0);
    let lines = board.take_lines();
    assert!(lines.iter().all(|line| line.parsed || line.bytes.is_empty()), "half a line reached the board");
    let goal = |line: &firmware_protocol::emulator::ReceivedLine| {
        let text = String::from_utf8(line.bytes.clone()).unwrap();
        text.strip_prefix("{\"T\":102,\"base\":").map(|rest| rest.split(',').next().unwrap().parse().unwrap())
    };
    lines.iter().filter_map(goal).collect()
}

/// The goals go on from the last of control's by no more than braking takes, in one direction, and end in the hold.
fn assert_held(goals: &[f64], last_of_control: f64) {
    let begun = goals.iter().rposition(|goal| (goal - last_of_control).abs() < 1e-4).unwrap();
    let end = *goals.last().unwrap();
    // One more of control's may have been on its way, unreported.
    let bound = TOP_SPEED * TOP_SPEED / (2.0 * DECELERATION) + TOP_SPEED * 0.2;
    assert!((end - last_of_control).abs() <= bound, "went on from {last_of_control} to {end}");
    let steps: Vec<f64> = goals[begun..].windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|step| step * (end - last_of_control) >= -1e-6), "{:?}", &goals[begun..]);
    assert!(goals.iter().rev().take_while(|goal| **goal == end).count() >= 3, "{:?}", &goals[begun..]);
}

#[test]
fn a_handle_dropped_in_mid_motion_ends_in_the_hold() {
    for (generation, commands) in [
        (Generation::G1, 3),
        (Generation::G1, 17),
        (Generation::G1, 31),
        (Generation::G1, 64),
        (Generation::G3, 9),
        (Generation::G3, 40),
    ] {
        let Rig { board, arm, handle, last, .. } = Rig::moving(generation, commands);
        drop(handle);
        until("the end of the hold", || arm.fault() == Some(LinkFault::TakenOver) && arm.thread_is_over());
        let events: Vec<LinkEvent> = arm.events().iter().collect();
        assert_eq!(
            events[events.len() - 2..],
            [LinkEvent::TakingOver, LinkEvent::Fault(LinkFault::TakenOver)]
        );
        assert_eq!(arm.stop().link.take_overs, 1);
        assert_held(&base_goals(board), last.unwrap().goal.get(Joint::Base));
    }
}

#[test]
fn a_control_thread_that_panics_ends_in_the_hold() {
    let Rig { board, arm, mut handle, mut sequence, began, last } = Rig::moving(Generation::G1, 20);
    let control = std::thread::spawn(move || {
        while sequence < 30 {
            if handle.status().ready {
                handle.offer(swing(sequence, began));
                sequence += 1;
            }
        }
        panic!("on purpose");
    });
    assert!(control.join().is_err());
    until("the end of the hold", || arm.fault() == Some(LinkFault::TakenOver) && arm.thread_is_over());
    let goals = base_goals(board);
    let end = *goals.last().unwrap();
    assert!(goals.len() > 23 && last.is_some());
    assert!(goals.iter().rev().take_while(|goal| **goal == end).count() >= 3);
}

/// The owner of the port itself: what it still does is the hold, and only with goals that slow down.
#[test]
fn a_link_thread_that_panics_brings_the_arm_to_rest_first() {
    for generation in [Generation::G1, Generation::G3] {
        let panics = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&panics);
        let on_look = Box::new(move || assert!(!asked.load(Ordering::Relaxed), "on purpose"));
        let hooks = LinkHooks { on_look, ..LinkHooks::default() };
        let Rig { board, arm, mut handle, last, .. } = Rig::moving_with(generation, 40, hooks);
        panics.store(true, Ordering::Relaxed);
        until("the end of the link", || arm.thread_is_over());
        assert_eq!(arm.fault(), Some(LinkFault::ThreadEnded), "whoever asks is told whose bug it was");
        let events: Vec<LinkEvent> = arm.events().iter().collect();
        let told = [LinkEvent::ThreadPanicked, LinkEvent::TakingOver, LinkEvent::Fault(LinkFault::TakenOver)];
        assert_eq!(events[events.len() - 3..], told);
        // What was written before the panic and reported is the last goal of control.
        let mut last = last.unwrap();
        while let Some(written) = handle.take_written() {
            last = written.command;
        }
        assert_held(&base_goals(board), last.goal.get(Joint::Base));
    }
}

#[test]
fn a_watchdog_takes_the_arm_from_a_control_side_that_goes_on_offering() {
    let mut rig = Rig::moving(Generation::G1, 25);
    let switch = rig.arm.take_over_switch();
    switch.take_over();
    until("the link's own goals", || rig.handle.link_fault() == Some(LinkFault::TakenOver));
    let written = std::iter::from_fn(|| rig.handle.take_written()).last();
    let last = written.map(|report| report.command).or(rig.last).unwrap();
    until("the end of the hold", || {
        rig.handle.offer(swing(rig.sequence, rig.began));
        rig.sequence += 1;
        rig.arm.thread_is_over()
    });
    assert_eq!(rig.handle.take_written(), None);
    assert!(!rig.handle.status().connected);
    assert_held(&base_goals(rig.board), last.goal.get(Joint::Base));
}

#[test]
fn a_hold_that_was_taken_over_is_done_once_it_was_written_and_not_when_it_begins() {
    let rig = Rig::moving(Generation::G1, 20);
    let switch = rig.arm.take_over_switch();
    assert!(!switch.is_done());
    switch.take_over();
    until("the hold", || switch.is_done());
    assert!(rig.arm.thread_is_over() || rig.arm.fault() == Some(LinkFault::TakenOver));
    let goals = base_goals(rig.board);
    let end = *goals.last().unwrap();
    let held = goals.iter().rev().take_while(|goal| **goal == end).count();
    assert!(held > 10, "it was done after {held} goals at rest: {goals:?}");
}

#[test]
fn an_owner_that_stops_the_link_under_a_moving_arm_holds_it_first() {
    let Rig { board, arm, handle, last, .. } = Rig::moving(Generation::G1, 33);
    let statistics = arm.stop();
    assert_eq!(statistics.link.take_overs, 1);
    drop(handle);
    assert_held(&base_goals(board), last.unwrap().goal.get(Joint::Base));
}

#[test]
fn a_released_arm_is_left_alone() {
    let Rig { board, arm, mut handle, .. } = Rig::moving(Generation::G1, 10);
    handle.release();
    handle.offer(swing(1_000_000, Instant::now()));
    drop(handle);
    arm.take_over_switch().take_over();
    std::thread::sleep(Duration::from_millis(300));
    let statistics = arm.stop();
    assert_eq!(statistics.link.take_overs, 0);
    assert_eq!(base_goals(board).len() as u64, statistics.link.commands);
}

#[test]
fn torque_of_a_parked_arm_is_released_and_nothing_follows() {
    let board = Pty::open().serve(BoardOptions::new(Generation::G1));
    let (arm, mut handle) = SerialArm::open(board.slave(), options()).unwrap();
    wait_ready(&arm).unwrap();
    let park = JointCommand { goal: JointAngles::from(BoardOptions::BOOT_POSE), ..swing(0, Instant::now()) };
    until("a written command", || {
        if handle.ready() {
            handle.offer(park);
        }
        handle.take_written().is_some()
    });
    handle.release_torque(Parked::at_rest());
    handle.release_torque(Parked::at_rest());
    handle.offer(park);
    handle.release();
    drop(handle);
    // Stopping at once still lets go of the arm first.
    let statistics = arm.stop();
    std::thread::sleep(Duration::from_millis(100));
    let mut board = board.end();
    assert_eq!(board.torque(), [false; 6]);
    let lines = board.take_lines();
    assert_eq!(lines.last().unwrap().bytes, b"{\"T\":210,\"cmd\":0}");
    let joints = lines.iter().filter(|line| line.bytes.starts_with(b"{\"T\":102,")).count();
    assert_eq!(joints as u64, statistics.link.commands);
}
