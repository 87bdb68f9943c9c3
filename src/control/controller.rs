//! The core's state machine.

use std::time::Duration;

use crate::types::{
    Chunk, CommandWritten, FeedbackSample, FrameSet, JointAngles, JointCommand, ObservationRequest,
    StillnessDetector, Timestamp,
};

use super::gate::{self, GateCounts};
use super::limiter::WrittenGoal;
use super::pairing::FeedbackHistory;
use super::parameters::{ControlParameters, JointBounds};
use super::ramp::Ramp;
use super::schedule::{Playback, Schedule};
use super::stop::{EndCause, StopKind};

/// Feedback must have been valid and still for so long before anything moves.
const STILL_BEFORE_MOTION: Duration = Duration::from_secs(1);
/// Angles may spread this far and still count as standing: six encoder steps, 0.53°.
const STILL_TOLERANCE_RAD: f64 = 6.0 * firmware_protocol::steps::STEP_RAD;
/// An arm that does not come to rest within this time ends the run.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(60);
/// After the ramp the arm must stand for so long before the first observation.
const STILL_AFTER_RAMP: Duration = Duration::from_millis(300);
/// An arm that trembles at the start pose is let go on after this time.
const RAMP_SETTLE_TIMEOUT: Duration = Duration::from_secs(3);
/// A command given to the link and not reported written within this time is a lost link.
const WRITE_TIMEOUT: Duration = Duration::from_millis(500);
/// The hold is repeated for so long before the run ends.
const HOLD_BEFORE_END: Duration = Duration::from_millis(500);
/// A hold that cannot be reached within this time (no link) ends the run as it is.
const EASE_TIMEOUT: Duration = Duration::from_secs(3);
/// During the ramp the servos' own profile may go so much faster than the ramp, to keep up with it.
const RAMP_SERVO_MARGIN: f64 = 2.0;

/// What enters one tick.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inputs<'a> {
    /// The newest feedback that arrived since the last tick.
    pub feedback: Option<FeedbackSample>,
    /// The newest frame of each camera slot.
    pub frames: FrameSet,
    /// A chunk that finished since the last tick.
    pub chunk: Option<&'a Chunk>,
    /// A command that the link wrote since the last tick.
    pub written: Option<CommandWritten>,
    /// Whether the link would write a command at once.
    pub link_ready: bool,
    /// The first motion was confirmed.
    pub go: bool,
    /// Somebody or something asks for the end.
    pub stop: Option<EndCause>,
}

/// What leaves one tick.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outputs {
    /// A command to write at once.
    pub command: Option<JointCommand>,
    /// A chunk to infer.
    pub observation: Option<ObservationRequest>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    /// Waiting for valid, still feedback.
    Settling,
    /// The way to the start pose is known and waits for consent.
    AwaitingGo(StartProposal),
    /// On the way to the start pose.
    Ramping,
    /// The policy moves the arm.
    Running,
    /// Coming to rest.
    Easing(EndCause),
    /// At rest, holding the last written goal.
    Holding(EndCause),
    /// Nothing more will be commanded.
    Ended(EndCause),
}

/// The first motion, before it happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StartProposal {
    /// Measured pose.
    pub from: JointAngles,
    /// Start pose.
    pub to: JointAngles,
    /// How long the way takes.
    pub duration: Duration,
}

/// Counters of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ControlReport {
    /// Ticks of the core.
    pub ticks: u64,
    /// Chunks that were played.
    pub chunks: u64,
    /// Chunks that the gate dropped.
    pub chunks_rejected: u64,
    /// Commands made.
    pub commands: u64,
    /// Commands that the link reported written.
    pub commands_written: u64,
    /// Ticks that waited for a chunk while the policy was in charge.
    pub ticks_waiting: u64,
    /// How often each rule of the gate acted.
    pub gate: GateCounts,
}

/// The control core. No I/O, clock, thread, lock, allocation or randomness: time and events come in, values go out.
#[derive(Clone, Debug)]
pub struct Controller {
    parameters: ControlParameters,
    phase: Phase,
    phase_since: Option<Timestamp>,
    history: FeedbackHistory,
    stillness: StillnessDetector,
    ramp: Option<Ramp>,
    schedule: Schedule,
    running_since: Option<Timestamp>,
    written: Option<WrittenGoal>,
    outstanding: Option<(JointCommand, JointAngles, Timestamp)>,
    rejected_in_a_row: u32,
    next_chunk: u64,
    next_command: u64,
    report: ControlReport,
}

impl Controller {
    /// A core that waits for feedback.
    pub const fn new(parameters: ControlParameters) -> Self {
        Self {
            parameters,
            phase: Phase::Settling,
            phase_since: None,
            history: FeedbackHistory::new(),
            stillness: StillnessDetector::new(STILL_BEFORE_MOTION, STILL_TOLERANCE_RAD),
            ramp: None,
            schedule: Schedule::Due,
            running_since: None,
            written: None,
            outstanding: None,
            rejected_in_a_row: 0,
            next_chunk: 0,
            next_command: 0,
            report: ControlReport {
                ticks: 0,
                chunks: 0,
                chunks_rejected: 0,
                commands: 0,
                commands_written: 0,
                ticks_waiting: 0,
                gate: GateCounts {
                    finite: 0,
                    trained_range: 0,
                    joint_limits: 0,
                    velocity: 0,
                    acceleration: 0,
                    observation_age: 0,
                    frame_age: 0,
                    feedback_age: 0,
                },
            },
        }
    }

    /// Where the run stands.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Counters so far.
    pub const fn report(&self) -> &ControlReport {
        &self.report
    }

    /// Why the run ended, once it has.
    pub const fn ended(&self) -> Option<EndCause> {
        match self.phase {
            Phase::Ended(cause) => Some(cause),
            _ => None,
        }
    }

    /// One step of the core. `now` never runs backwards.
    pub fn tick(&mut self, now: Timestamp, inputs: &Inputs<'_>) -> Outputs {
        self.report.ticks += 1;
        self.phase_since.get_or_insert(now);
        self.take_written(inputs.written.as_ref());
        let still = self.take_feedback(inputs.feedback.as_ref());
        if let Some(cause) = inputs.stop.or_else(|| self.fault(now, &inputs.frames)) {
            self.begin_end(cause, now);
        }
        let mut outputs = Outputs::default();
        let target = match self.phase {
            Phase::Settling => {
                self.settle(now, still);
                None
            }
            Phase::AwaitingGo(proposal) => {
                // The first command of a run is the measured pose itself.
                inputs.go.then(|| self.start_ramp(&proposal, now))
            }
            Phase::Ramping => Some(self.ramp_target(now, still)),
            Phase::Running => self.run(now, inputs, &mut outputs),
            Phase::Easing(cause) => self.ease(cause, now),
            Phase::Holding(cause) => self.hold(cause, now),
            Phase::Ended(_) => None,
        };
        if let Some(target) = target {
            outputs.command = self.command(&target, now, inputs.link_ready);
        }
        outputs
    }

    fn take_written(&mut self, written: Option<&CommandWritten>) {
        let (Some(report), Some((command, target, _))) = (written, self.outstanding) else { return };
        if report.command.sequence == command.sequence {
            self.outstanding = None;
            self.report.commands_written += 1;
            if let Some(goal) = &mut self.written {
                goal.advance(command.goal, target, report.written);
            }
        }
    }

    fn take_feedback(&mut self, sample: Option<&FeedbackSample>) -> bool {
        let Some(sample) = sample.filter(|sample| sample.angles.is_finite()) else { return false };
        self.history.push(*sample);
        self.stillness.observe(&sample.angles, sample.measured)
    }

    /// A condition that must end the run by itself.
    fn fault(&mut self, now: Timestamp, frames: &FrameSet) -> Option<EndCause> {
        if !matches!(self.phase, Phase::Ramping | Phase::Running) {
            return None;
        }
        if self.outstanding.is_some_and(|(_, _, since)| now.since(since) > WRITE_TIMEOUT) {
            return Some(EndCause::LinkLost);
        }
        let age = self.history.newest().map_or(Duration::MAX, |newest| now.since(newest.measured));
        if age > self.parameters.max_feedback_age {
            self.report.gate.feedback_age += 1;
            return Some(EndCause::FeedbackStale { age });
        }
        let running_since = self.running_since?;
        for (slot, frame) in frames.iter().enumerate().take(self.parameters.cameras) {
            let age = frame.map(|frame| now.since(frame.captured));
            if age.unwrap_or_else(|| now.since(running_since)) > self.parameters.max_frame_age {
                self.report.gate.frame_age += 1;
                return Some(EndCause::FrameStale { slot, age });
            }
        }
        if let Schedule::Waiting { requested, .. } = self.schedule {
            let waited = now.since(requested);
            if waited > self.parameters.inference_timeout {
                return Some(EndCause::PolicyStalled { waited });
            }
        }
        self.parameters
            .duration
            .is_some_and(|duration| now.since(running_since) >= duration)
            .then_some(EndCause::Duration)
    }

    fn enter(&mut self, phase: Phase, now: Timestamp) {
        self.phase = phase;
        self.phase_since = Some(now);
    }

    fn in_phase(&self, now: Timestamp) -> Duration {
        self.phase_since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// Starts the way to the hold. A first cause is kept, unless a protective one follows a normal one.
    fn begin_end(&mut self, cause: EndCause, now: Timestamp) {
        match self.phase {
            Phase::Settling | Phase::AwaitingGo(_) => self.enter(Phase::Ended(cause), now),
            Phase::Ramping | Phase::Running => self.enter(Phase::Easing(cause), now),
            Phase::Easing(before)
                if before.kind() == StopKind::Normal && cause.kind() == StopKind::Protective =>
            {
                self.phase = Phase::Easing(cause);
            }
            Phase::Holding(before)
                if before.kind() == StopKind::Normal && cause.kind() == StopKind::Protective =>
            {
                self.phase = Phase::Holding(cause);
            }
            Phase::Easing(_) | Phase::Holding(_) | Phase::Ended(_) => {}
        }
    }

    fn settle(&mut self, now: Timestamp, still: bool) {
        if let (true, Some(newest)) = (still, self.history.newest()) {
            let from = newest.angles;
            let to = self.limits(&from).clamp(&self.parameters.start_pose.unwrap_or(from));
            let duration = Ramp::new(from, to, now, self.parameters.ramp_speed_rad_s).duration();
            self.enter(Phase::AwaitingGo(StartProposal { from, to, duration }), now);
        } else if self.in_phase(now) > SETTLE_TIMEOUT {
            self.enter(Phase::Ended(EndCause::NotStill), now);
        }
    }

    fn start_ramp(&mut self, proposal: &StartProposal, now: Timestamp) -> JointAngles {
        let from = self.history.newest().map_or(proposal.from, |newest| newest.angles);
        self.written = Some(WrittenGoal::at_rest(from, now));
        self.ramp = Some(Ramp::new(from, proposal.to, now, self.parameters.ramp_speed_rad_s));
        self.stillness = StillnessDetector::new(STILL_AFTER_RAMP, STILL_TOLERANCE_RAD);
        self.enter(Phase::Ramping, now);
        from
    }

    fn ramp_target(&mut self, now: Timestamp, still: bool) -> JointAngles {
        let Some(ramp) = self.ramp else { return self.held() };
        let rested = still || self.in_phase(now) > ramp.duration() + RAMP_SETTLE_TIMEOUT;
        if ramp.is_over(now) && rested {
            self.running_since = Some(now);
            self.enter(Phase::Running, now);
        }
        ramp.pose(now)
    }

    /// The policy's target for this tick, and the next observation when it is due.
    fn run(&mut self, now: Timestamp, inputs: &Inputs<'_>, outputs: &mut Outputs) -> Option<JointAngles> {
        if let (Some(chunk), Schedule::Waiting { chunk_id, .. }) = (inputs.chunk, &self.schedule)
            && chunk.id == *chunk_id
        {
            self.take_chunk(chunk, now);
        }
        if matches!(&self.schedule, Schedule::Playing(playback) if playback.is_over(now)) {
            self.schedule = Schedule::Due;
        }
        if matches!(self.schedule, Schedule::Due) {
            outputs.observation = self.observe(now, &inputs.frames);
        }
        if let Schedule::Playing(playback) = &self.schedule {
            let target = playback.target(now);
            let limits = self.limits(&self.held());
            let range = self.parameters.trained_range.as_ref();
            return Some(gate::clamp_target(&target, range, &limits, &mut self.report.gate));
        }
        self.report.ticks_waiting += 1;
        Some(self.held_target())
    }

    fn take_chunk(&mut self, chunk: &Chunk, now: Timestamp) {
        if gate::check_chunk(chunk, now, &self.parameters, &mut self.report.gate).is_err() {
            self.schedule = Schedule::Due;
            self.report.chunks_rejected += 1;
            self.rejected_in_a_row += 1;
            if self.rejected_in_a_row >= self.parameters.rejections_before_stop {
                self.begin_end(EndCause::ChunksRejected { count: self.rejected_in_a_row }, now);
            }
            return;
        }
        self.rejected_in_a_row = 0;
        let first = self.report.chunks == 0;
        let speed = if first { self.parameters.first_chunk_speed } else { 1.0 };
        let period = self.parameters.action_period.div_f64(speed);
        self.report.chunks += 1;
        let playback =
            Playback::new(*chunk, self.held_target(), now, period, self.parameters.actions_per_chunk);
        self.schedule = Schedule::Playing(playback);
    }

    fn observe(&mut self, now: Timestamp, frames: &FrameSet) -> Option<ObservationRequest> {
        let used = frames.iter().take(self.parameters.cameras);
        let observed = used.map(|frame| frame.map(|frame| frame.captured)).min().flatten()?;
        let state = self.history.nearest(observed)?.angles;
        let chunk_id = self.next_chunk;
        self.next_chunk += 1;
        self.schedule = Schedule::Waiting { chunk_id, requested: now };
        Some(ObservationRequest { chunk_id, tick: self.report.ticks, frames: *frames, observed, state })
    }

    fn ease(&mut self, cause: EndCause, now: Timestamp) -> Option<JointAngles> {
        let written = self.written?;
        if (written.is_at_rest() && self.outstanding.is_none()) || self.in_phase(now) > EASE_TIMEOUT {
            self.enter(Phase::Holding(cause), now);
        }
        Some(written.goal)
    }

    fn hold(&mut self, cause: EndCause, now: Timestamp) -> Option<JointAngles> {
        if self.in_phase(now) > HOLD_BEFORE_END {
            self.enter(Phase::Ended(cause), now);
            return None;
        }
        Some(self.held())
    }

    /// The last written goal, or where the arm stands.
    fn held(&self) -> JointAngles {
        self.written.map_or_else(
            || self.history.newest().map_or(JointAngles::ZERO, |newest| newest.angles),
            |written| written.goal,
        )
    }

    /// What the last written goal was made for: where the last chunk wanted to be.
    fn held_target(&self) -> JointAngles {
        self.written.map_or_else(|| self.held(), |written| written.target)
    }

    /// The joint limits, stretched to where the arm stands: from outside, only motion back is left.
    fn limits(&self, pose: &JointAngles) -> JointBounds {
        self.parameters.joint_limits.reaching(pose)
    }

    /// A command towards `target` inside all bounds, when the link takes one now.
    fn command(&mut self, target: &JointAngles, now: Timestamp, link_ready: bool) -> Option<JointCommand> {
        let written = self.written?;
        if !link_ready || self.outstanding.is_some() || !target.is_finite() {
            return None;
        }
        let limits = self.limits(&written.goal);
        let parameters = &self.parameters;
        let (goal, target) = if matches!(self.phase, Phase::Easing(_)) {
            let goal = written.braking(now, parameters.stop_deceleration_rad_s2, &limits);
            (goal, goal)
        } else {
            let (velocity, acceleration) =
                (parameters.max_velocity_rad_s, parameters.max_acceleration_rad_s2);
            let (goal, limited) = written.towards(target, now, &limits, velocity, acceleration);
            self.report.gate.velocity += u64::from(limited.velocity);
            self.report.gate.acceleration += u64::from(limited.acceleration);
            (goal, *target)
        };
        let servo_speed_rad_s = match self.phase {
            Phase::Ramping => parameters.ramp_speed_rad_s * RAMP_SERVO_MARGIN,
            _ => parameters.servo_speed_rad_s,
        };
        let command =
            JointCommand { sequence: self.next_command, tick: self.report.ticks, goal, servo_speed_rad_s };
        self.next_command += 1;
        self.report.commands += 1;
        self.outstanding = Some((command, target, now));
        Some(command)
    }
}
