//! Guiding the arm by hand: its servos let go while somebody holds it, and later hold it again where it then stands.

use std::time::Duration;

use firmware_protocol::danger::{ArmMayFall, DangerousCommand};
use firmware_protocol::{Command, FirmwareAngles, Generation, limits};

use super::{LinkEvent, LinkMachine, Phase, WriteBuffer};
use crate::types::{Joint, JointCommand, ServoProfile, Timestamp};

/// Somebody said that they hold the arm: without its servos it falls.
#[derive(Clone, Copy, Debug)]
pub struct HandsOnArm(());

impl HandsOnArm {
    /// To be called only after a person at the arm was asked and has agreed.
    pub const fn confirmed() -> Self {
        Self(())
    }
}

/// Why servos were not told to let go, or to hold. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum GuidingRefused {
    /// The link is not connected, or the arm is not in the state that this begins with.
    #[error("the link to the board is not ready")]
    NotConnected,
    /// A line is being written, or the board has not shown that it read the last one.
    #[error("a command is still being written")]
    InFlight,
    /// The arm has not stood still for [`still_time`](super::LinkOptions::still_time).
    #[error("the arm does not stand still")]
    Moving,
    /// The firmware would move the joint to its nearest limit.
    #[error("{joint} stands where the firmware cannot hold it: move it back")]
    OutsideLimits {
        /// The joint.
        joint: Joint,
    },
}

/// G3 folds the arm before it lets go, and sends nothing meanwhile: at 53 °/s that takes half of this at most.
const FOLDING: Duration = Duration::from_secs(15);

/// How far the guiding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guiding {
    /// The servos were told to let go, at about this time.
    Limp(Timestamp),
    /// The goal is being written at which they will hold.
    Catching,
    /// It is written: the servos may be switched on.
    Caught,
}

impl LinkMachine {
    /// Adds T:210 cmd 0 to `out`: all servos let go. Nothing but [`LinkMachine::hold_again`] can be written afterwards.
    ///
    /// G1 lets go where the arm stands. **G3 first moves the arm** to a folded pose of its own and then lets go.
    pub fn let_go(
        &mut self,
        _confirmed: HandsOnArm,
        out: &mut WriteBuffer,
        events: &mut dyn FnMut(LinkEvent),
    ) -> Result<(), GuidingRefused> {
        if !matches!(self.phase, Phase::Ready) {
            return Err(GuidingRefused::NotConnected);
        }
        self.quiet(out)?;
        let mut bytes = [0; DangerousCommand::MAX_BYTES];
        let line = DangerousCommand::TorqueOff(ArmMayFall::acknowledged()).encode(&mut bytes);
        out.push(line).map_err(|_full| GuidingRefused::InFlight)?;
        self.handshake.note_unread(line.len());
        self.credit = false;
        self.phase = Phase::HandGuided(Guiding::Limp(self.last_feedback));
        events(LinkEvent::LetGo);
        Ok(())
    }

    /// Adds T:102 at the measured pose to `out`; once it is written, [`LinkMachine::poll`] adds T:210 cmd 1. In this order: what a
    /// servo does that is switched on with an old goal is not known (it may jump there).
    pub fn hold_again(&mut self, profile: ServoProfile, out: &mut WriteBuffer) -> Result<(), GuidingRefused> {
        let (Phase::HandGuided(Guiding::Limp(_)), Some(measured), Some(generation)) =
            (&self.phase, self.newest_pose, self.generation)
        else {
            return Err(GuidingRefused::NotConnected);
        };
        self.quiet(out)?;
        if let Some(joint) = limits::first_outside(generation, FirmwareAngles::from(measured)) {
            let joint = Joint::ALL.get(joint.index()).copied().unwrap_or(Joint::Base);
            return Err(GuidingRefused::OutsideLimits { joint });
        }
        let command = JointCommand { sequence: 0, tick: 0, goal: measured, profile };
        let line = self.begin(&command).map_err(|_refused| GuidingRefused::NotConnected)?;
        out.push(line).map_err(|_full| GuidingRefused::InFlight)?;
        self.phase = Phase::HandGuided(Guiding::Catching);
        Ok(())
    }

    /// Nothing is under way and the arm stands still.
    const fn quiet(&self, out: &WriteBuffer) -> Result<(), GuidingRefused> {
        if self.in_flight.is_some() || !out.is_empty() || !self.credit {
            return Err(GuidingRefused::InFlight);
        }
        if self.frames.is_still() { Ok(()) } else { Err(GuidingRefused::Moving) }
    }

    /// The goal at which the servos will hold was written.
    pub(super) const fn note_caught(&mut self) {
        if let Phase::HandGuided(Guiding::Catching) = self.phase {
            self.phase = Phase::HandGuided(Guiding::Caught);
        }
    }

    /// Lets time pass while the arm is guided.
    pub(super) fn go_on_guiding(
        &mut self,
        guiding: Guiding,
        now: Timestamp,
        out: &mut WriteBuffer,
        events: &mut dyn FnMut(LinkEvent),
    ) {
        let folding = self.generation == Some(Generation::G3)
            && matches!(guiding, Guiding::Limp(since) if now.since(since) < FOLDING);
        if now.since(self.last_feedback) >= self.options.feedback_timeout && !folding {
            events(LinkEvent::FeedbackLost);
            return self.wait_again(now);
        }
        // The credit: the board has read the goal.
        if guiding == Guiding::Caught && self.credit && out.is_empty() {
            let mut bytes = [0; Command::MAX_BYTES];
            let line = Command::TorqueOn.encode(&mut bytes);
            if out.push(line).is_ok() {
                self.handshake.note_unread(line.len());
                self.credit = false;
                self.phase = Phase::Ready;
                events(LinkEvent::HeldAgain);
            }
        }
    }
}
