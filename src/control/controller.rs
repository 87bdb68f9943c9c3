//! The core's state machine.

use std::time::Duration;

use crate::types::{
    Chunk, CommandWritten, FeedbackSample, FrameSet, JointAngles, JointCommand, ObservationRequest,
    StillnessDetector, Timestamp,
};

use super::gate;
use super::limiter::WrittenGoal;
use super::pairing::FeedbackHistory;
use super::parameters::{ControlParameters, JointBounds};
use super::phase::{Phase, StartProposal};
use super::ramp::Ramp;
use super::report::ControlReport;
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
/// An offered command that was not written within this time was thrown away by the link, which keeps none longer than 100 ms.
const DISCARDED_AFTER: Duration = Duration::from_millis(200);
/// So far outside its limits an arm may stand and still be brought back: the firmware clamps what lies outside, so from
/// further away the way back could not be slow.
const OUTSIDE_TOLERANCE_RAD: f64 = 0.05;
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
    /// The number of the proposal that was consented to.
    pub go: Option<u32>,
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

/// The control core. No I/O, clock, thread, lock, allocation or randomness: time and events come in, values go out.
#[derive(Clone, Debug)]
pub struct Controller {
    parameters: ControlParameters,
    phase: Phase,
    phase_since: Option<Timestamp>,
    history: FeedbackHistory,
    stillness: StillnessDetector,
    ramp: Option<Ramp>,
    proposals: u32,
    torque_seen: bool,
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
    pub fn new(parameters: ControlParameters) -> Self {
        Self {
            parameters,
            phase: Phase::Settling,
            phase_since: None,
            history: FeedbackHistory::new(),
            stillness: StillnessDetector::new(STILL_BEFORE_MOTION, STILL_TOLERANCE_RAD),
            ramp: None,
            proposals: 0,
            torque_seen: false,
            schedule: Schedule::Due,
            running_since: None,
            written: None,
            outstanding: None,
            rejected_in_a_row: 0,
            next_chunk: 0,
            next_command: 0,
            report: ControlReport::default(),
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

    /// The first motion that waits for consent, if one does.
    pub const fn proposal(&self) -> Option<StartProposal> {
        match self.phase {
            Phase::AwaitingGo(proposal) => Some(proposal),
            _ => None,
        }
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
        self.forget_discarded(now, inputs.link_ready);
        let still = self.take_feedback(inputs.feedback.as_ref());
        if let Some(cause) = inputs.stop.or_else(|| self.fault(now, &inputs.frames)) {
            self.begin_end(cause, now);
        }
        self.respect_torque_off(inputs.feedback.as_ref(), now);
        let mut outputs = Outputs::default();
        let target = match self.phase {
            Phase::Settling => {
                self.settle(now, still);
                None
            }
            Phase::AwaitingGo(proposal) => {
                if self.proposal_holds(&proposal, now) {
                    // The first command of a run is the measured pose itself.
                    (inputs.go == Some(proposal.number)).then(|| self.start_ramp(&proposal, now))
                } else {
                    self.stillness = StillnessDetector::new(STILL_BEFORE_MOTION, STILL_TOLERANCE_RAD);
                    self.enter(Phase::Settling, now);
                    None
                }
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
        let Some(CommandWritten { command, written }) = written else { return };
        let outstanding =
            self.outstanding.take_if(|(outstanding, ..)| outstanding.sequence == command.sequence);
        let target = outstanding.map_or(command.goal, |(_, target, _)| target);
        self.report.commands_written += 1;
        if let Some(goal) = &mut self.written {
            goal.advance(command.goal, target, *written);
        }
    }

    /// A command that the link threw away will never be reported: the next one may be made.
    fn forget_discarded(&mut self, now: Timestamp, link_ready: bool) {
        let _discarded =
            self.outstanding.take_if(|(_, _, since)| link_ready && now.since(*since) > DISCARDED_AFTER);
    }

    /// Somebody switched the torque off: any further command would switch it on again.
    fn respect_torque_off(&mut self, sample: Option<&FeedbackSample>, now: Timestamp) {
        let Some(sample) = sample else { return };
        self.torque_seen |= !sample.torque_off;
        let commanding =
            matches!(self.phase, Phase::Ramping | Phase::Running | Phase::Easing(_) | Phase::Holding(_));
        if commanding && sample.torque_off && self.torque_seen {
            self.enter(Phase::Ended(EndCause::TorqueOff), now);
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
            let limits = &self.parameters.joint_limits;
            if let Some(joint) = limits.furthest_outside(&newest.angles, OUTSIDE_TOLERANCE_RAD) {
                return self.enter(Phase::Ended(EndCause::OutsideLimits { joint }), now);
            }
            let from = limits.clamp(&newest.angles);
            let to = limits.clamp(&self.parameters.start_pose.unwrap_or(from));
            let duration = Ramp::new(from, to, now, self.parameters.ramp_speed_rad_s).duration();
            self.proposals += 1;
            let number = self.proposals;
            self.enter(Phase::AwaitingGo(StartProposal { number, from, to, duration }), now);
        } else if self.in_phase(now) > SETTLE_TIMEOUT {
            self.enter(Phase::Ended(EndCause::NotStill), now);
        }
    }

    /// Whether the arm still stands where the proposal begins, and says so.
    fn proposal_holds(&self, proposal: &StartProposal, now: Timestamp) -> bool {
        self.history.newest().is_some_and(|newest| {
            now.since(newest.measured) <= self.parameters.max_feedback_age
                && newest.angles.max_difference(&proposal.from) <= STILL_TOLERANCE_RAD + OUTSIDE_TOLERANCE_RAD
        })
    }

    fn start_ramp(&mut self, proposal: &StartProposal, now: Timestamp) -> JointAngles {
        let measured = self.history.newest().map_or(proposal.from, |newest| newest.angles);
        let from = self.parameters.joint_limits.clamp(&measured);
        self.torque_seen = false;
        self.written = Some(WrittenGoal::at_rest(from, now));
        self.ramp = Some(Ramp::new(from, proposal.to, now, self.parameters.ramp_speed_rad_s));
        self.stillness = StillnessDetector::new(STILL_AFTER_RAMP, STILL_TOLERANCE_RAD);
        self.enter(Phase::Ramping, now);
        from
    }

    fn ramp_target(&mut self, now: Timestamp, still: bool) -> JointAngles {
        let Some(ramp) = self.ramp else { return self.held() };
        let rested = still || self.in_phase(now) > ramp.duration().saturating_add(RAMP_SETTLE_TIMEOUT);
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
            let ControlParameters { trained_range, joint_limits, .. } = &self.parameters;
            return Some(gate::clamp_target(
                &target,
                trained_range.as_ref(),
                joint_limits,
                &mut self.report.gate,
            ));
        }
        self.report.ticks_waiting += 1;
        Some(self.held_target())
    }

    fn take_chunk(&mut self, chunk: &Chunk, now: Timestamp) {
        if !gate::accept_chunk(chunk, now, &self.parameters, &mut self.report.gate) {
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
        Some(ObservationRequest {
            chunk_id,
            tick: self.report.ticks,
            frames: *frames,
            observed,
            state,
            continues: None,
        })
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

    /// Where goals may be: inside the joint limits, and inside the trained range while the policy is in charge. A start pose
    /// outside the trained range may only be left towards it.
    fn goal_bounds(&self, goal: &JointAngles) -> JointBounds {
        let limits = self.parameters.joint_limits;
        match &self.parameters.trained_range {
            Some(range) if self.running_since.is_some() => range.within(&limits).reaching(goal),
            _ => limits,
        }
    }

    /// The share of full speed that the policy may use: the first chunk is played gently.
    fn speed_share(&self) -> f64 {
        let gentle = matches!(self.phase, Phase::Running) && self.report.chunks <= 1;
        if gentle { self.parameters.first_chunk_speed } else { 1.0 }
    }

    /// A command towards `target` inside all bounds, when the link takes one now.
    fn command(&mut self, target: &JointAngles, now: Timestamp, link_ready: bool) -> Option<JointCommand> {
        let written = self.written?;
        if !link_ready || self.outstanding.is_some() || !target.is_finite() {
            return None;
        }
        let limits = self.goal_bounds(&written.goal);
        let share = self.speed_share();
        let parameters = &self.parameters;
        let (goal, target) = if matches!(self.phase, Phase::Easing(_)) {
            let goal = written.braking(now, parameters.stop_deceleration_rad_s2, &limits);
            (goal, goal)
        } else {
            let velocity = parameters.max_velocity_rad_s * share;
            let acceleration = parameters.max_acceleration_rad_s2;
            let (goal, limited) = written.towards(target, now, &limits, velocity, acceleration);
            self.report.gate.velocity += u64::from(limited.velocity);
            self.report.gate.acceleration += u64::from(limited.acceleration);
            (goal, *target)
        };
        let servo_speed_rad_s = match self.phase {
            Phase::Ramping => parameters.ramp_speed_rad_s * RAMP_SERVO_MARGIN,
            _ => parameters.servo_speed_rad_s * share,
        };
        let command =
            JointCommand { sequence: self.next_command, tick: self.report.ticks, goal, servo_speed_rad_s };
        self.next_command += 1;
        self.report.commands += 1;
        self.outstanding = Some((command, target, now));
        Some(command)
    }
}
