//! The core driven by a script: a link with a rate of its own, an arm that follows, a policy that answers late.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::types::{
    Chunk, CommandWritten, FeedbackSample, FrameMetadata, FrameSet, Joint, JointAngles, LinkStatus,
    MAX_CAMERAS, Timestamp,
};

const TICK: Duration = Duration::from_millis(20);

/// A pose of six different angles, so that no two joints can be mixed up: 1, 0.9, 0.8, … times `angle`.
pub(super) fn pose(angle: f64) -> JointAngles {
    JointAngles::from_array_rad(std::array::from_fn(|joint| angle * (1.0 - 0.1 * joint as f64)))
}

pub(super) fn parameters() -> ControlParameters {
    ControlParameters {
        joint_limits: JointBounds { lower: pose(-0.8), upper: pose(1.5) },
        trained_range: Some(JointBounds { lower: pose(-0.5), upper: pose(1.2) }),
        z_score_range: None,
        max_velocity_rad_s: 1.5,
        max_acceleration_rad_s2: 10.0,
        stop_deceleration_rad_s2: 15.0,
        ramp_speed_rad_s: 0.26,
        servo_speed_rad_s: 3.0,
        start_pose: Some(pose(0.4)),
        action_period: Duration::from_millis(33),
        actions_per_chunk: 20,
        first_chunk_speed: 1.0,
        schedule: ChunkSchedule::Sync,
        queue_threshold: 0.5,
        max_jerk_rad_s3: 105.0,
        motion_limits: MotionLimits::default(),
        cameras: 1,
        duration: Some(Duration::from_secs(4)),
        max_feedback_age: Duration::from_millis(250),
        max_frame_age: Duration::from_millis(500),
        max_observation_age: Duration::from_millis(2_000),
        inference_timeout: Duration::from_secs(5),
        rejections_before_stop: 3,
        lead_limit_rad: [0.14, 0.14, 0.14, 0.14, 0.14, 0.44],
        workspace: Workspace::default(),
        tracking_error_rad: 0.113,
        tracking_time: Duration::from_secs(1),
        workspace_patience: Duration::from_secs(2),
        plateau: None,
        gripper_idle: None,
        frozen_picture: None,
        after_stop: AfterStop::End,
        after_link_loss: AfterLinkLoss::End,
        park: None,
    }
}

/// What surrounds the core in a test.
pub(super) struct Script {
    pub(super) controller: Controller,
    pub(super) now: Timestamp,
    pub(super) arm: JointAngles,
    /// The link takes one command each so many ticks.
    pub(super) link_period: u64,
    pub(super) since_write: u64,
    /// Ticks from request to chunk.
    pub(super) latency: u64,
    pub(super) pending: Option<(u64, u64, Timestamp)>,
    /// Time between ticks; a late control thread has longer ones.
    pub(super) tick: Duration,
    pub(super) consent: bool,
    pub(super) torque_off: bool,
    /// The link throws this many of the coming commands away.
    pub(super) discard: u64,
    pub(super) wanted: f64,
    /// How much further each action of a chunk goes.
    pub(super) slope: f64,
    /// Time from writing to the link's report.
    pub(super) report_delay: Duration,
    pub(super) reported: usize,
    pub(super) frozen_feedback: bool,
    pub(super) impossible_feedback: bool,
    pub(super) frozen_camera: bool,
    /// Digest of every frame.
    pub(super) digest: Option<u64>,
    /// Where the link stands, apart from its pace.
    pub(super) link: LinkStatus,
    pub(super) reset: bool,
    pub(super) torque_released: bool,
    pub(super) written: Vec<CommandWritten>,
    pub(super) requests: u64,
}

impl Script {
    pub(super) fn new(parameters: ControlParameters) -> Self {
        Self {
            controller: Controller::new(parameters),
            now: Timestamp::from_nanos(5_000_000_000),
            arm: pose(0.1),
            link_period: 1,
            since_write: 0,
            latency: 3,
            pending: None,
            tick: TICK,
            consent: true,
            torque_off: false,
            discard: 0,
            wanted: 0.9,
            slope: 0.0,
            report_delay: Duration::ZERO,
            reported: 0,
            frozen_feedback: false,
            impossible_feedback: false,
            frozen_camera: false,
            digest: None,
            link: LinkStatus::READY,
            reset: false,
            torque_released: false,
            written: Vec::new(),
            requests: 0,
        }
    }

    fn frames(&self) -> FrameSet {
        let mut frames = [None; MAX_CAMERAS];
        if !self.frozen_camera {
            frames[0] = Some(FrameMetadata {
                id: 1,
                sequence: 1,
                captured: self.now,
                width: 96,
                height: 96,
                digest: self.digest,
            });
        }
        frames
    }

    pub(super) fn tick(&mut self, stop: Option<EndCause>) {
        self.now = self.now + self.tick;
        self.since_write += 1;
        let feedback = (!self.frozen_feedback).then(|| FeedbackSample {
            sequence: 0,
            angles: if self.impossible_feedback { pose(10.0) } else { self.arm },
            measured: self.now - Duration::from_millis(18),
            torque_off: self.torque_off,
        });
        let actions: [JointAngles; 50] =
            std::array::from_fn(|step| pose(self.wanted + self.slope * step as f64));
        let chunk = self.pending.filter(|(_, due, _)| *due <= self.controller.report().ticks).map(
            |(id, _, observed)| Chunk::new(id, observed, 0, self.now, &actions).expect("50 actions fit"),
        );
        if chunk.is_some() {
            self.pending = None;
        }
        let due = |entry: &&CommandWritten| self.now.since(entry.written) >= self.report_delay;
        let written = self.written.get(self.reported).filter(due).copied();
        self.reported += usize::from(written.is_some());
        let inputs = Inputs {
            feedback,
            frames: self.frames(),
            chunk: chunk.as_ref(),
            written,
            link: LinkStatus { ready: self.link.ready && self.since_write >= self.link_period, ..self.link },
            go: self.controller.proposal().filter(|_| self.consent).map(|proposal| proposal.number),
            stop,
            reset: std::mem::take(&mut self.reset),
        };
        let outputs = self.controller.tick(self.now, &inputs);
        self.torque_released |= outputs.release_torque.is_some();
        if let Some(command) = outputs.command {
            self.since_write = 0;
            if self.discard > 0 {
                self.discard -= 1;
            } else {
                self.arm = command.goal;
                self.written.push(CommandWritten { command, written: self.now });
            }
        }
        if let Some(request) = outputs.observation {
            self.requests += 1;
            self.pending = Some((request.chunk_id, request.tick + self.latency, request.observed));
        }
    }

    pub(super) fn run_until(&mut self, ticks: usize, done: impl Fn(&Phase) -> bool) {
        for _ in 0..ticks {
            if done(&self.controller.phase()) {
                return;
            }
            self.tick(None);
        }
        panic!("still {:?} after {ticks} ticks", self.controller.phase());
    }

    pub(super) fn run_to_end(&mut self) -> EndCause {
        self.run_until(2_000, |phase| matches!(phase, Phase::Ended(_)));
        self.controller.ended().expect("it has ended")
    }
}

/// Velocity and acceleration of each joint between goals as written, from a standing start.
pub(super) fn assert_bounds(
    written: &[CommandWritten],
    start: JointAngles,
    velocity: f64,
    acceleration: f64,
) {
    let first = written.first().map(|first| first.command.goal);
    assert!(first.is_none_or(|first| first.max_difference(&start) < 1e-12), "the first motion jumps");
    let mut velocity_before = [0.0; 6];
    for pair in written.windows(2) {
        let elapsed = pair[1].written.seconds_since(pair[0].written);
        let (from, to) = (pair[0].command.goal.to_array_rad(), pair[1].command.goal.to_array_rad());
        for joint in 0..6 {
            let now = (to[joint] - from[joint]) / elapsed;
            assert!(now.abs() <= velocity * (1.0 + 1e-6), "joint {joint}: velocity {now}");
            assert!(
                (to[joint] - from[joint]).abs() <= velocity * 0.08 + 1e-9,
                "joint {joint}: a step too long"
            );
            let change = (now - velocity_before[joint]).abs();
            let allowed = acceleration * elapsed * (1.0 + 1e-6) + 1e-9;
            assert!(change <= allowed, "joint {joint}: velocity changes by {change} in {elapsed} s");
            velocity_before[joint] = now;
        }
    }
}

pub(super) fn first_angle(angles: &JointAngles) -> f64 {
    angles.to_array_rad()[0]
}

#[test]
fn runs_from_rest_to_the_hold_inside_all_bounds() {
    let mut script = Script::new(parameters());
    assert_eq!(script.run_to_end(), EndCause::Duration);
    assert_bounds(&script.written, pose(0.1), 1.5, 10.0);
    let report = *script.controller.report();
    assert!(report.chunks >= 4, "{report:?}");
    assert_eq!(report.commands, report.commands_written);
    assert!((first_angle(&script.arm) - 0.9).abs() < 1e-3, "{:?}", script.arm);
    assert!(report.motion.jerk_rad_s3 <= 105.0 * 1.05, "a step of half a radian is no jump: {report:?}");
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
    assert!((first_angle(&script.arm) - 0.4).abs() < 1e-9);
    assert!(script.written.iter().rev().skip(1).all(|entry| entry.command.servo_speed_rad_s <= 0.53));
}

#[test]
fn a_slow_link_does_not_turn_two_steps_into_one() {
    for link_period in [2, 3, 7] {
        let mut script = Script::new(parameters());
        script.link_period = link_period;
        script.run_to_end();
        assert_bounds(&script.written, pose(0.1), 1.5, 10.0);
    }
}

#[test]
fn a_nan_chunk_is_dropped_and_a_row_of_them_stops_the_arm() {
    let mut script = Script::new(parameters());
    script.wanted = f64::NAN;
    assert_eq!(script.run_to_end(), EndCause::ChunksRejected { count: 3 });
    assert_eq!(script.controller.report().gate.finite, 3);
    assert!(script.written.iter().all(|entry| entry.command.goal.is_finite()));
    assert!((first_angle(&script.arm) - 0.4).abs() < 1e-6, "it stays at the start pose");
}

#[test]
fn targets_are_clamped_to_the_trained_range_then_to_the_limits() {
    // A policy that stands still makes up for half a radian in two seconds or so.
    let long = || ControlParameters { duration: Some(Duration::from_secs(10)), ..parameters() };
    let mut script = Script::new(long());
    script.wanted = 2.0;
    script.run_to_end();
    assert!((first_angle(&script.arm) - 1.2).abs() < 1e-3, "{:?}", script.arm);
    assert!(script.controller.report().gate.trained_range > 50);

    let mut unbounded = Script::new(ControlParameters { trained_range: None, ..long() });
    unbounded.wanted = -2.0;
    unbounded.run_to_end();
    assert!((first_angle(&unbounded.arm) + 0.8).abs() < 1e-3, "{:?}", unbounded.arm);
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
    while first_angle(&script.arm) < 0.6 {
        script.tick(None);
    }
    let at_stop = first_angle(&script.arm);
    script.tick(Some(EndCause::Interrupted));
    assert_eq!(script.run_to_end(), EndCause::Interrupted);
    assert_bounds(&script.written, pose(0.1), 1.5, 15.0);
    let travelled = first_angle(&script.arm) - at_stop;
    assert!((0.0..1.5 * 1.5 / (2.0 * 15.0) + 1.5 * 0.02).contains(&travelled), "{travelled}");
    let ticks_after_end = script.written.len();
    script.tick(None);
    assert_eq!(script.written.len(), ticks_after_end, "nothing is commanded after the end");
}

#[test]
fn an_arm_far_outside_its_limits_is_refused_and_a_little_outside_is_brought_in() {
    let mut script = Script::new(parameters());
    script.arm = pose(1.8);
    assert_eq!(script.run_to_end(), EndCause::OutsideLimits { joint: Joint::Base });
    assert!(script.written.is_empty());

    let mut script = Script::new(ControlParameters { start_pose: None, ..parameters() });
    script.arm.set(Joint::Wrist, 1.05 + 0.04);
    script.run_until(600, |phase| matches!(phase, Phase::Running));
    let limits = parameters().joint_limits;
    assert!(script.written.iter().all(|entry| limits.clamp(&entry.command.goal) == entry.command.goal));
    assert!((script.arm.get(Joint::Wrist) - 1.05).abs() < 1e-9, "{:?}", script.arm);
}

#[test]
fn nothing_moves_without_consent_and_declining_ends() {
    let mut script = Script::new(parameters());
    script.consent = false;
    script.run_until(200, |phase| matches!(phase, Phase::AwaitingGo(_)));
    for _ in 0..500 {
        script.tick(None);
    }
    assert!(script.written.is_empty() && script.controller.proposal().is_some());
    script.tick(Some(EndCause::Declined));
    assert_eq!(script.controller.ended(), Some(EndCause::Declined));
    assert!(script.written.is_empty());
}

#[test]
fn consent_is_void_once_the_arm_has_been_moved() {
    let mut script = Script::new(parameters());
    script.consent = false;
    script.run_until(200, |phase| matches!(phase, Phase::AwaitingGo(_)));
    let first = script.controller.proposal().expect("it waits");
    script.arm = pose(-0.3);
    script.tick(None);
    assert_eq!(script.controller.phase(), Phase::Settling, "withdrawn");
    script.run_until(200, |phase| matches!(phase, Phase::AwaitingGo(_)));
    let second = script.controller.proposal().expect("it waits again");
    assert!(second.number > first.number && second.from == pose(-0.3));
    let stale = Inputs { go: Some(first.number), link: LinkStatus::READY, ..Inputs::default() };
    assert!(script.controller.tick(script.now + TICK, &stale).command.is_none());
    assert!(script.controller.proposal().is_some(), "an answer to the first question is none to the second");
}

#[test]
fn a_late_control_thread_makes_no_longer_steps() {
    let mut script = Script::new(ControlParameters { duration: None, ..parameters() });
    script.run_until(600, |phase| matches!(phase, Phase::Running));
    for tick in 0..200 {
        // Feedback is fresh each time that the thread comes round.
        script.tick = if tick % 5 == 4 { Duration::from_millis(240) } else { TICK };
        script.tick(None);
    }
    assert_bounds(&script.written, pose(0.1), 1.5, 10.0);
    assert!((first_angle(&script.arm) - 0.9).abs() < 1e-3);
}

#[test]
fn the_first_chunk_is_gentle() {
    let gentle = ControlParameters { first_chunk_speed: 0.5, duration: None, ..parameters() };
    let mut script = Script::new(gentle);
    script.run_until(600, |phase| matches!(phase, Phase::Running));
    let begin = script.written.len();
    while script.controller.report().chunks < 2 {
        script.tick(None);
    }
    let chunk = &script.written[begin..script.written.len() - 1];
    assert!(chunk.len() > 20);
    assert_bounds(chunk, chunk[0].command.goal, 0.75, 10.0);
    assert!(chunk.iter().all(|entry| entry.command.servo_speed_rad_s <= 1.5));
}

#[test]
fn goals_stay_inside_the_trained_range_even_when_a_fast_target_stops_at_its_edge() {
    let mut script = Script::new(ControlParameters { duration: None, ..parameters() });
    script.wanted = 0.4;
    script.slope = 0.045;
    script.run_until(600, |phase| matches!(phase, Phase::Running));
    for _ in 0..200 {
        script.tick(None);
    }
    let range = parameters().trained_range.expect("there is one");
    assert!(first_angle(&script.arm) > 1.0, "it must have come near the edge");
    assert!(script.written.iter().all(|entry| range.clamp(&entry.command.goal) == entry.command.goal));
}

#[test]
fn the_next_command_waits_for_the_report_of_the_last() {
    let mut script = Script::new(ControlParameters { duration: None, ..parameters() });
    script.report_delay = Duration::from_millis(70);
    script.run_until(1_200, |phase| matches!(phase, Phase::Running));
    for _ in 0..100 {
        script.tick(None);
        assert!(script.written.len() - script.reported <= 1, "two commands under way");
    }
    assert_bounds(&script.written, pose(0.1), 1.5, 10.0);
}

#[test]
fn torque_that_somebody_switched_off_stays_off() {
    let mut script = Script::new(parameters());
    script.run_until(600, |phase| matches!(phase, Phase::Running));
    script.torque_off = true;
    let commands = script.written.len();
    script.tick(None);
    assert_eq!(script.controller.ended(), Some(EndCause::TorqueOff));
    for _ in 0..50 {
        script.tick(None);
    }
    assert_eq!(script.written.len(), commands, "each command would switch the torque on again");
}

#[test]
fn an_arm_without_torque_may_be_started() {
    let mut script = Script::new(parameters());
    script.torque_off = true;
    script.run_until(200, |phase| matches!(phase, Phase::Ramping));
    for _ in 0..5 {
        script.tick(None);
    }
    script.torque_off = false;
    assert_eq!(script.run_to_end(), EndCause::Duration);
}

#[test]
fn a_command_that_the_link_threw_away_does_not_end_the_run() {
    let mut script = Script::new(parameters());
    script.run_until(600, |phase| matches!(phase, Phase::Running));
    script.discard = 1;
    assert_eq!(script.run_to_end(), EndCause::Duration);
    assert_bounds(&script.written, pose(0.1), 1.5, 10.0);
    let report = script.controller.report();
    assert_eq!(report.commands, report.commands_written + 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn bounds_hold_over_random_scripts(
        wanted in prop::collection::vec(prop_oneof![-3.0_f64..3.0, Just(f64::NAN), Just(f64::INFINITY)], 40),
        link_periods in prop::collection::vec(1_u64..6, 40),
        tick_ms in prop::collection::vec(prop_oneof![4 => Just(20_u64), 1 => 20_u64..220], 40),
        stop_at in 100_usize..700,
    ) {
        let mut script = Script::new(ControlParameters { duration: None, ..parameters() });
        for tick in 0..1_000 {
            script.tick = Duration::from_millis(tick_ms[tick / 25]);
            script.wanted = wanted[tick / 25];
            script.link_period = link_periods[tick / 25];
            script.tick((tick == stop_at).then_some(EndCause::Terminated));
        }
        prop_assert!(script.controller.ended().is_some());
        assert_bounds(&script.written, pose(0.1), 1.5, 15.0);
        let limits = parameters().joint_limits;
        for entry in &script.written {
            prop_assert!(limits.clamp(&entry.command.goal) == entry.command.goal, "{:?} leaves the limits", entry);
        }
    }
}

#[test]
fn a_pose_that_no_encoder_has_is_no_feedback() {
    let mut script = Script::new(parameters());
    script.run_until(600, |phase| matches!(phase, Phase::Running));
    let before = script.arm;
    script.impossible_feedback = true;
    let cause = script.run_to_end();
    assert!(matches!(cause, EndCause::FeedbackStale { .. }), "{cause:?}");
    assert!(
        script.arm.max_difference(&before) < 0.6,
        "nothing runs after an impossible pose: {:?}",
        script.arm
    );
}
