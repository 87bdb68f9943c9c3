//! The core's state machine.
//!
//! ```text
//! Settling ─▶ AwaitingGo ─▶ Ramping ─▶ Running ─▶ Easing ─▶ Holding ─▶ Ended
//!    ▲ ▲                         │        │          │  └─▶ Parking ─▶ Holding
//!    │ │ link is back            ▼        ▼          │
//!    │ └────────────────────── Disconnected          │ after_stop = wait
//!    └─────────────── reset ────────── Stopped ◀─────┘
//! ```

mod commanding;
mod inputs;
mod running;
mod starting;
mod stopping;
mod supervision;

pub use inputs::{Inputs, Outputs};

use std::time::Duration;

use crate::types::{CommandWritten, FeedbackSample, JointAngles, JointCommand, StillnessDetector, Timestamp};

use super::gate;
use super::limiter::{GoalBounds, Lead, WrittenGoal};
use super::pairing::FeedbackHistory;
use super::parameters::{AfterLinkLoss, AfterStop, ControlParameters, JointBounds};
use super::phase::{Phase, StartProposal};
use super::ramp::Ramp;
use super::report::ControlReport;
use super::sag::Sag;
use super::schedule::{Playback, Schedule};
use super::stop::{EndCause, StopKind};

/// Feedback must have been valid and still for so long before anything moves.
const STILL_BEFORE_MOTION: Duration = Duration::from_secs(1);
/// Angles may spread this far and still count as standing: six encoder steps, 0.53°.
const STILL_TOLERANCE_RAD: f64 = 6.0 * firmware_protocol::steps::STEP_RAD;

/// The control core. No I/O, clock, thread, lock, allocation or randomness: time and events come in, values go out.
#[derive(Clone, Debug)]
pub struct Controller {
    parameters: ControlParameters,
    phase: Phase,
    phase_since: Option<Timestamp>,
    history: FeedbackHistory,
    stillness: StillnessDetector,
    sag: Sag,
    ramp: Option<Ramp>,
    proposals: u32,
    torque_seen: bool,
    schedule: Schedule,
    running_since: Option<Timestamp>,
    /// Chunks since the policy took charge the last time.
    chunks_since_start: u64,
    written: Option<WrittenGoal>,
    outstanding: Option<(JointCommand, JointAngles, Timestamp)>,
    /// Where a stop goes after a collision or a stall, latched once.
    retreat: Option<JointAngles>,
    /// The connection that the last goal was written on.
    connection: u32,
    /// The board may have forgotten the last written goal, and the arm have moved by itself.
    goal_forgotten: bool,
    /// Where the link was lost, while the arm is brought back there.
    resume_at: Option<JointAngles>,
    rejected_in_a_row: u32,
    next_chunk: u64,
    next_command: u64,
    report: ControlReport,
}

/// What a tick wants of the arm.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Aim {
    /// Go towards a pose.
    Towards(JointAngles),
    /// Come to rest.
    Brake,
    /// Write the last goal again.
    Repeat,
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
            sag: Sag::default(),
            ramp: None,
            proposals: 0,
            torque_seen: false,
            schedule: Schedule::Due,
            running_since: None,
            chunks_since_start: 0,
            written: None,
            outstanding: None,
            retreat: None,
            connection: 0,
            goal_forgotten: false,
            resume_at: None,
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
        self.forget_discarded(now, inputs.link.ready);
        self.watch_link(now, &inputs.link);
        let still = self.take_feedback(inputs.feedback.as_ref());
        if let Some(cause) = inputs.stop.or_else(|| self.fault(now, &inputs.frames)) {
            self.begin_end(cause, now);
        }
        self.respect_torque_off(inputs.feedback.as_ref(), now);
        let mut outputs = Outputs::default();
        let aim = match self.phase {
            Phase::Settling => {
                self.settle(now, still);
                None
            }
            Phase::AwaitingGo(proposal) => self.await_go(&proposal, inputs.go, now),
            Phase::Ramping => self.ramp(now, still),
            Phase::Running => self.run(now, inputs, &mut outputs),
            Phase::Easing(cause) => self.ease(cause, now),
            Phase::Parking(cause) => self.park(cause, now, still, &mut outputs),
            Phase::Holding(cause) => self.hold(cause, now),
            Phase::Stopped(_) => self.stay_stopped(now, inputs),
            Phase::Disconnected => {
                self.reconnect(now, &inputs.link);
                None
            }
            Phase::Ended(_) => None,
        };
        if let Some(aim) = aim {
            outputs.command = self.command(aim, now, inputs.link.ready);
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

    fn take_feedback(&mut self, sample: Option<&FeedbackSample>) -> bool {
        let Some(sample) = sample.filter(|sample| sample.angles.is_finite()) else { return false };
        self.history.push(*sample);
        let still = self.stillness.observe(&sample.angles, sample.measured);
        if let Some(written) = self.written.filter(|written| written.is_at_rest() && !self.goal_forgotten) {
            self.sag.observe(&written.goal, written.since_rest, sample, &self.parameters.lead_limit_rad);
        }
        still
    }

    fn enter(&mut self, phase: Phase, now: Timestamp) {
        self.phase = phase;
        self.phase_since = Some(now);
    }

    fn in_phase(&self, now: Timestamp) -> Duration {
        self.phase_since.map_or(Duration::ZERO, |since| now.since(since))
    }

    fn watch_stillness(&mut self, time: Duration) {
        self.stillness = StillnessDetector::new(time, STILL_TOLERANCE_RAD);
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
}
