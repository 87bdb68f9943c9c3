//! The arm as a session sees it.

use crate::arm::{ArmHandle, LinkFault, TakeOverSwitch};
use crate::control::EndCause;
use crate::types::{CommandWritten, FeedbackSample, JointCommand, LinkStatus, Parked};

/// The arm as the control thread sees it: wait-free ends of the link's mailboxes.
///
/// Dropping one without [`ArmPort::release`] means that the control side died: whoever owns the port then brings the arm to
/// rest and holds it.
pub trait ArmPort: Send {
    /// The newest feedback, if any arrived since the last call.
    fn latest_feedback(&mut self) -> Option<FeedbackSample>;
    /// Where the link stands.
    fn status(&self) -> LinkStatus;
    /// Hands over a command. Never waits.
    fn offer(&mut self, command: JointCommand);
    /// The next report of a written command.
    fn take_written(&mut self) -> Option<CommandWritten>;
    /// Switches the torque of a parked arm off. Never waits.
    fn release_torque(&mut self, parked: Parked);
    /// Why the link is gone for good, if it is.
    fn fault(&self) -> Option<EndCause>;
    /// The run came to its proper end: the arm rests, and nothing has to be taken over when this is dropped.
    fn release(&mut self);
    /// A handle for those who watch the control thread; `None` where nobody but control can hold the arm.
    fn guardian(&self) -> Option<Box<dyn HoldGuardian>> {
        None
    }
}

/// Takes the hold away from a control thread that died or hangs. Held by other threads than control.
pub trait HoldGuardian: Send + Sync {
    /// From now on the owner of the port ignores control: it brakes from the last written goal and repeats the goal at which the
    /// arm rests. Never waits; a second call changes nothing.
    fn take_over(&self);
    /// Whether a hold that was taken over is done, or cannot be done (the link is gone).
    fn is_done(&self) -> bool;
}

impl ArmPort for ArmHandle {
    fn latest_feedback(&mut self) -> Option<FeedbackSample> {
        Self::latest_feedback(self)
    }
    fn status(&self) -> LinkStatus {
        Self::status(self)
    }
    fn offer(&mut self, command: JointCommand) {
        Self::offer(self, command);
    }
    fn take_written(&mut self) -> Option<CommandWritten> {
        Self::take_written(self)
    }
    fn release_torque(&mut self, parked: Parked) {
        Self::release_torque(self, parked);
    }
    fn fault(&self) -> Option<EndCause> {
        self.link_fault().map(|fault| match fault {
            LinkFault::DeadBus => EndCause::DeadBus,
            LinkFault::TakenOver | LinkFault::ThreadEnded => EndCause::ProgramFailed,
            _ => EndCause::LinkLost,
        })
    }
    fn release(&mut self) {
        Self::release(self);
    }
    fn guardian(&self) -> Option<Box<dyn HoldGuardian>> {
        Some(Box::new(self.take_over_switch()))
    }
}

impl HoldGuardian for TakeOverSwitch {
    fn take_over(&self) {
        Self::take_over(self);
    }
    fn is_done(&self) -> bool {
        Self::is_done(self)
    }
}
