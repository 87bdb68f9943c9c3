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
mod guarding;
mod inputs;
mod running;
mod starting;
mod stopping;
mod supervision;

pub use inputs::{Inputs, Outputs};

use std::time::Duration;

use crate::types::{CommandWritten, FeedbackSample, JointAngles, JointCommand, StillnessDetector, Timestamp};

use super::frozen_picture::FrozenPictureWatch;
use super::gate;
use super::limiter::{GoalBounds, Lead, WrittenGoal};
use super::pairing::FeedbackHistory;
use super::parameters::{AfterLinkLoss, AfterStop, ControlParameters, JointBounds};
use super::phase::{Phase, StartProposal};
use super::player::{ChunkPlayer, Taken};
use super::progress::{PlateauAction, ProgressWatch};
use super::ramp::Ramp;
use super::report::ControlReport;
use super::sag::Sag;
use super::servo_profile::ServoPace;
use super::stop::{EndCause, StopKind};
use super::tracking::TrackingWatch;
use super::trajectory::{MotionBounds, Smoothness};
use super::workspace::{Braking, WorkspaceGuard};

/// Feedback must have been valid and still for so long before anything moves.
const STILL_BEFORE_MOTION: Duration = Duration::from_secs(1);
/// Angles may spread this far and still count as standing: six encoder steps, 0.53°.
const STILL_TOLERANCE_RAD: f64 = 6.0 * firmware_protocol::steps::STEP_RAD;

/// Half a turn to either side, and what a zero may be off by.
const ONE_TURN_RAD: f64 = std::f64::consts::PI * 1.1;

/// The control core. No I/O, clock, thread, lock, allocation or randomness: time and events come in, values go out.
#[derive(Clone, Debug)]
pub struct Controller {
    parameters: ControlParameters,
    phase: Phase,
    phase_since: Option<Timestamp>,
    /// Commands that were written before this phase.
    written_before_phase: u64,
    history: FeedbackHistory,
    stillness: StillnessDetector,
    sag: Sag,
    servo_pace: ServoPace,
    ramp: Option<Ramp>,
    proposals: u32,
    torque_seen: bool,
    player: ChunkPlayer,
    smoothness: Smoothness,
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
    workspace: WorkspaceGuard,
    tracking: TrackingWatch,
    progress: ProgressWatch,
    pictures: FrozenPictureWatch,
    rejected_in_a_row: u32,
    next_chunk: u64,
    next_command: u64,
    report: ControlReport,
}

/// Whether encoders of one turn can have measured it. What they cannot have is no feedback: it ages, and the arm stops.
fn is_possible(angles: &JointAngles) -> bool {
    angles.to_array_rad().iter().all(|angle| angle.is_finite() && angle.abs() <= ONE_TURN_RAD)
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
            workspace: WorkspaceGuard::new(parameters.workspace.clone()),
            tracking: TrackingWatch::default(),
            pictures: FrozenPictureWatch::new(parameters.frozen_picture),
            progress: ProgressWatch::new(parameters.plateau, parameters.gripper_idle),
            player: ChunkPlayer::new(parameters.player()),
            smoothness: Smoothness::default(),
            parameters,
            phase: Phase::Settling,
            phase_since: None,
            written_before_phase: 0,
            history: FeedbackHistory::new(),
            stillness: StillnessDetector::new(STILL_BEFORE_MOTION, STILL_TOLERANCE_RAD),
            sag: Sag::default(),
            servo_pace: ServoPace::default(),
            ramp: None,
            proposals: 0,
            torque_seen: false,
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
        if let Some(cause) = inputs.stop.or_else(|| self.fault(now, inputs)) {
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
        if matches!(self.phase, Phase::Running) {
            self.smoothness.written(&command.goal, *written);
            self.report.motion = *self.smoothness.report();
        }
    }

    fn take_feedback(&mut self, sample: Option<&FeedbackSample>) -> bool {
        let Some(sample) = sample.filter(|sample| is_possible(&sample.angles)) else { return false };
        self.history.push(*sample);
        let still = self.stillness.observe(&sample.angles, sample.measured);
        if let Some(written) = self.written.filter(|written| written.is_at_rest() && !self.goal_forgotten) {
            let greatest_rad = self.parameters.greatest_sag_rad();
            self.sag.observe(&written.goal, written.since_rest, sample, &greatest_rad);
        }
        still
    }

    fn enter(&mut self, phase: Phase, now: Timestamp) {
        self.phase = phase;
        self.phase_since = Some(now);
        self.written_before_phase = self.report.commands_written;
        self.smoothness.interrupt();
        self.workspace.note(false, now);
        self.tracking = TrackingWatch::default();
        self.progress.restart();
        self.pictures.restart();
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
}
