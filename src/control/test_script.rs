//! The core driven by a script: a link with a rate of its own, an arm that follows, a policy that answers late.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use std::time::Duration;

use super::*;
use crate::types::{
    Chunk, CommandWritten, FeedbackSample, FrameMetadata, FrameSet, JointAngles, LinkStatus, MAX_CAMERAS,
    ObservationRequest, Playback, Timestamp,
};

pub(super) const TICK: Duration = Duration::from_millis(20);

/// A pose of six different angles, so that no two joints can be mixed up: 1, 0.9, 0.8, … times `angle`.
pub(super) fn pose(angle: f64) -> JointAngles {
    JointAngles::from_array_rad(std::array::from_fn(|joint| angle * (1.0 - 0.1 * joint as f64)))
}

pub(super) fn parameters() -> ControlParameters {
    ControlParameters {
        trained_range: Some(JointBounds { lower: pose(-0.5), upper: pose(1.2) }),
        max_velocity_rad_s: 1.5,
        max_acceleration_rad_s2: 10.0,
        stop_deceleration_rad_s2: 15.0,
        ramp_speed_rad_s: 0.26,
        max_jerk_rad_s3: 105.0,
        start_pose: Some(pose(0.4)),
        action_period: Duration::from_millis(33),
        actions_per_chunk: 20,
        duration: Some(Duration::from_secs(4)),
        rejections_before_stop: 3,
        lead_limit_rad: [0.14, 0.14, 0.14, 0.14, 0.14, 0.44],
        workspace: Workspace::default(),
        tracking_error_rad: 0.113,
        ..ControlParameters::usual(JointBounds { lower: pose(-0.8), upper: pose(1.5) })
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
    pub(super) observations: Vec<ObservationRequest>,
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
            observations: Vec::new(),
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
            playback: Playback::default(),
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
            self.observations.push(request);
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
