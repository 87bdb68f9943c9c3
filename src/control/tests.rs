//! The core driven by a script: a link with a rate of its own, an arm that follows, a policy that answers late.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::types::{
    Chunk, CommandWritten, FeedbackSample, FrameMetadata, FrameSet, JointAngles, MAX_CAMERAS, Timestamp,
};

const TICK: Duration = Duration::from_millis(20);

fn pose(angle: f64) -> JointAngles {
    JointAngles::from_array_rad([angle; 6])
}

fn parameters() -> ControlParameters {
    ControlParameters {
        joint_limits: JointBounds { lower: pose(-0.8), upper: pose(1.5) },
        trained_range: Some(JointBounds { lower: pose(-0.5), upper: pose(1.2) }),
        max_velocity_rad_s: 1.5,
        max_acceleration_rad_s2: 10.0,
        stop_deceleration_rad_s2: 15.0,
        ramp_speed_rad_s: 0.26,
        servo_speed_rad_s: 3.0,
        start_pose: Some(pose(0.4)),
        action_period: Duration::from_millis(33),
        actions_per_chunk: 20,
        first_chunk_speed: 1.0,
        cameras: 1,
        duration: Some(Duration::from_secs(4)),
        max_feedback_age: Duration::from_millis(250),
        max_frame_age: Duration::from_millis(500),
        max_observation_age: Duration::from_millis(2_000),
        inference_timeout: Duration::from_secs(5),
        rejections_before_stop: 3,
    }
}

/// What surrounds the core in a test.
struct Script {
    controller: Controller,
    now: Timestamp,
    arm: JointAngles,
    /// The link takes one command each so many ticks.
    link_period: u64,
    since_write: u64,
    /// Ticks from request to chunk.
    latency: u64,
    pending: Option<(u64, u64, Timestamp)>,
    wanted: f64,
    frozen_feedback: bool,
    frozen_camera: bool,
    written: Vec<CommandWritten>,
    requests: u64,
}

impl Script {
    fn new(parameters: ControlParameters) -> Self {
        Self {
            controller: Controller::new(parameters),
            now: Timestamp::from_nanos(5_000_000_000),
            arm: pose(0.1),
            link_period: 1,
            since_write: 0,
            latency: 3,
            pending: None,
            wanted: 0.9,
            frozen_feedback: false,
            frozen_camera: false,
            written: Vec::new(),
            requests: 0,
        }
    }

    fn frames(&self) -> FrameSet {
        let mut frames = [None; MAX_CAMERAS];
        if !self.frozen_camera {
            frames[0] = Some(FrameMetadata { id: 1, sequence: 1, captured: self.now, width: 96, height: 96 });
        }
        frames
    }

    fn tick(&mut self, stop: Option<EndCause>) {
        self.now = self.now + TICK;
        self.since_write += 1;
        let feedback = (!self.frozen_feedback).then(|| FeedbackSample {
            sequence: 0,
            angles: self.arm,
            measured: self.now - Duration::from_millis(18),
        });
        let chunk = self.pending.filter(|(_, due, _)| *due <= self.controller.report().ticks).map(
            |(id, _, observed)| {
                Chunk::new(id, observed, 0, self.now, &[pose(self.wanted); 50]).expect("50 actions fit")
            },
        );
        if chunk.is_some() {
            self.pending = None;
        }
        let written = self.written.last().filter(|last| last.written == self.now - TICK).copied();
        let inputs = Inputs {
            feedback,
            frames: self.frames(),
            chunk: chunk.as_ref(),
            written,
            link_ready: self.since_write >= self.link_period,
            go: true,
            stop,
        };
        let outputs = self.controller.tick(self.now, &inputs);
        if let Some(command) = outputs.command {
            self.since_write = 0;
            self.arm = command.goal;
            self.written.push(CommandWritten { command, written: self.now });
        }
        if let Some(request) = outputs.observation {
            self.requests += 1;
            self.pending = Some((request.chunk_id, request.tick + self.latency, request.observed));
        }
    }

    fn run_until(&mut self, ticks: usize, done: impl Fn(&Phase) -> bool) {
        for _ in 0..ticks {
            if done(&self.controller.phase()) {
                return;
            }
            self.tick(None);
        }
        panic!("still {:?} after {ticks} ticks", self.controller.phase());
    }

    fn run_to_end(&mut self) -> EndCause {
        self.run_until(2_000, |phase| matches!(phase, Phase::Ended(_)));
        self.controller.ended().expect("it has ended")
    }
}

fn assert_bounds(written: &[CommandWritten], start: JointAngles, velocity: f64, acceleration: f64) {
    let goals: Vec<(f64, f64)> = written
        .iter()
        .map(|entry| (entry.written.as_nanos() as f64 * 1e-9, entry.command.goal.to_array_rad()[0]))
        .collect();
    let mut speed_before = 0.0;
    assert!(
        goals.first().is_none_or(|first| (first.1 - start.to_array_rad()[0]).abs() < 1e-12),
        "first motion jumps"
    );
    for pair in goals.windows(2) {
        let elapsed = pair[1].0 - pair[0].0;
        let speed = (pair[1].1 - pair[0].1) / elapsed;
        assert!(speed.abs() <= velocity * (1.0 + 1e-6), "velocity {speed}");
        assert!((speed - speed_before).abs() <= acceleration * elapsed * (1.0 + 1e-6) + 1e-9, "acceleration");
        speed_before = speed;
    }
}

#[test]
fn runs_from_rest_to_the_hold_inside_all_bounds() {
    let mut script = Script::new(parameters());
    assert_eq!(script.run_to_end(), EndCause::Duration);
    assert_bounds(&script.written, pose(0.1), 1.5, 15.0);
    let report = *script.controller.report();
    assert!(report.chunks >= 4, "{report:?}");
    assert_eq!(report.commands, report.commands_written);
    assert!((script.arm.to_array_rad()[0] - 0.9).abs() < 1e-6, "{:?}", script.arm);
    assert!(report.gate.acceleration > 0, "a step of half a radian must have been held back");
}

#[test]
fn nothing_moves_before_a_second_of_stillness() {
    let mut script = Script::new(parameters());
    for _ in 0..49 {
        script.tick(None);
    }
    assert!(script.written.is_empty());
    assert_eq!(script.controller.phase(), Phase::Settling);
}

#[test]
fn the_ramp_keeps_its_speed() {
    let mut script = Script::new(parameters());
    script.run_until(600, |phase| matches!(phase, Phase::Running));
    assert_bounds(&script.written, pose(0.1), 0.27, 10.0);
    assert!((script.arm.to_array_rad()[0] - 0.4).abs() < 1e-9);
    assert!(script.written.iter().rev().skip(1).all(|entry| entry.command.servo_speed_rad_s <= 0.53));
}

#[test]
fn a_slow_link_does_not_turn_two_steps_into_one() {
    for link_period in [2, 3, 7] {
        let mut script = Script::new(parameters());
        script.link_period = link_period;
        script.run_to_end();
        assert_bounds(&script.written, pose(0.1), 1.5, 15.0);
    }
}

#[test]
fn a_nan_chunk_is_dropped_and_a_row_of_them_stops_the_arm() {
    let mut script = Script::new(parameters());
    script.wanted = f64::NAN;
    assert_eq!(script.run_to_end(), EndCause::ChunksRejected { count: 3 });
    assert_eq!(script.controller.report().gate.finite, 3);
    assert!(script.written.iter().all(|entry| entry.command.goal.is_finite()));
    assert!((script.arm.to_array_rad()[0] - 0.4).abs() < 1e-6, "it stays at the start pose");
}

#[test]
fn targets_are_clamped_to_the_trained_range_then_to_the_limits() {
    let mut script = Script::new(parameters());
    script.wanted = 2.0;
    script.run_to_end();
    assert!((script.arm.to_array_rad()[0] - 1.2).abs() < 1e-6, "{:?}", script.arm);
    assert!(script.controller.report().gate.trained_range > 50);

    let mut unbounded = Script::new(ControlParameters { trained_range: None, ..parameters() });
    unbounded.wanted = -2.0;
    unbounded.run_to_end();
    assert!((unbounded.arm.to_array_rad()[0] + 0.8).abs() < 1e-6, "{:?}", unbounded.arm);
    assert!(unbounded.controller.report().gate.joint_limits > 50);
}

#[test]
fn stale_feedback_frames_and_inference_are_protective_stops() {
    let mut script = Script::new(parameters());
    script.run_until(600, |phase| matches!(phase, Phase::Running));
    script.frozen_feedback = true;
    let cause = script.run_to_end();
    assert!(
        matches!(cause, EndCause::FeedbackStale { .. }) && cause.kind() == StopKind::Protective,
        "{cause:?}"
    );

    let mut script = Script::new(parameters());
    script.frozen_camera = true;
    assert_eq!(script.run_to_end(), EndCause::FrameStale { slot: 0, age: None });

    let mut script = Script::new(ControlParameters { duration: None, ..parameters() });
    script.latency = 1_000_000;
    assert!(matches!(script.run_to_end(), EndCause::PolicyStalled { .. }));
}

#[test]
fn a_late_chunk_is_dropped_for_its_observation() {
    let mut script =
        Script::new(ControlParameters { max_observation_age: Duration::from_millis(50), ..parameters() });
    script.latency = 10;
    assert_eq!(script.run_to_end(), EndCause::ChunksRejected { count: 3 });
    assert_eq!(script.controller.report().gate.observation_age, 3);
}

#[test]
fn a_stop_in_full_motion_brakes_and_holds_where_it_stands() {
    let mut script = Script::new(ControlParameters { duration: None, ..parameters() });
    script.run_until(600, |phase| matches!(phase, Phase::Running));
    while script.arm.to_array_rad()[0] < 0.6 {
        script.tick(None);
    }
    let at_stop = script.arm.to_array_rad()[0];
    script.tick(Some(EndCause::Interrupted));
    assert_eq!(script.run_to_end(), EndCause::Interrupted);
    assert_bounds(&script.written, pose(0.1), 1.5, 15.0);
    let travelled = script.arm.to_array_rad()[0] - at_stop;
    assert!((0.0..1.5 * 1.5 / (2.0 * 15.0) + 1.5 * 0.02).contains(&travelled), "{travelled}");
    let ticks_after_end = script.written.len();
    script.tick(None);
    assert_eq!(script.written.len(), ticks_after_end, "nothing is commanded after the end");
}

#[test]
fn an_arm_outside_its_limits_only_moves_back() {
    let mut script = Script::new(parameters());
    script.arm = pose(1.8);
    script.run_until(2_000, |phase| matches!(phase, Phase::Running));
    let goals: Vec<f64> = script.written.iter().map(|entry| entry.command.goal.to_array_rad()[0]).collect();
    assert!((goals[0] - 1.8).abs() < 1e-12);
    assert!(goals.windows(2).all(|pair| pair[1] <= pair[0] + 1e-12));
}

#[test]
fn declining_the_first_motion_moves_nothing() {
    let mut script = Script::new(parameters());
    for _ in 0..40 {
        script.tick(None);
    }
    script.tick(Some(EndCause::Declined));
    assert_eq!(script.controller.ended(), Some(EndCause::Declined));
    assert!(script.written.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn bounds_hold_over_random_scripts(
        wanted in prop::collection::vec(prop_oneof![-3.0_f64..3.0, Just(f64::NAN), Just(f64::INFINITY)], 40),
        link_periods in prop::collection::vec(1_u64..6, 40),
        stop_at in 100_usize..700,
    ) {
        let mut script = Script::new(ControlParameters { duration: None, ..parameters() });
        for tick in 0..1_000 {
            script.wanted = wanted[tick / 25];
            script.link_period = link_periods[tick / 25];
            script.tick((tick == stop_at).then_some(EndCause::Terminated));
        }
        prop_assert!(script.controller.ended().is_some());
        assert_bounds(&script.written, pose(0.1), 1.5, 15.0);
        for entry in &script.written {
            let goal = entry.command.goal.to_array_rad()[0];
            prop_assert!((-0.8..=1.5).contains(&goal), "{} leaves the limits", goal);
        }
    }
}
