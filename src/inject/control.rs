//! Faults of the control thread and of the feedback that it sees.

use std::thread;
use std::time::Duration;

use super::{DrillClock, DrillFault, DrillKind, DrillThread};
use crate::control::EndCause;
use crate::runtime::{ArmPort, HoldGuardian};
use crate::types::{CommandWritten, FeedbackSample, Joint, JointAngles, JointCommand, LinkStatus, Parked};

/// How often a stalled thread looks whether it may go on.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// More than a turn beyond every joint's range.
const IMPOSSIBLE_RAD: f64 = 10.0;

pub(super) struct FaultyArm<A> {
    arm: A,
    faults: Vec<DrillFault>,
    clock: DrillClock,
    frozen: Option<JointAngles>,
}

impl<A> FaultyArm<A> {
    pub(super) const fn new(arm: A, faults: Vec<DrillFault>, clock: DrillClock) -> Self {
        Self { arm, faults, clock, frozen: None }
    }

    fn is_active(&self, wanted: DrillKind) -> bool {
        self.faults.iter().any(|fault| fault.kind == wanted && self.clock.is_active(fault))
    }
}

impl<A: ArmPort> ArmPort for FaultyArm<A> {
    #[expect(clippy::panic, reason = "a panic is the fault that was asked for")]
    fn latest_feedback(&mut self) -> Option<FeedbackSample> {
        while self.is_active(DrillKind::ControlStall) {
            thread::sleep(LOOK_AGAIN);
        }
        if self.is_active(DrillKind::ThreadPanic(DrillThread::Control)) {
            panic!("injected by --inject thread.panic=control");
        }
        let mut sample = self.arm.latest_feedback()?;
        if self.is_active(DrillKind::FeedbackFrozen) {
            sample.angles = *self.frozen.get_or_insert(sample.angles);
        } else {
            self.frozen = None;
        }
        if self.is_active(DrillKind::FeedbackImpossible) {
            for joint in Joint::ALL {
                sample.angles.set(joint, IMPOSSIBLE_RAD);
            }
        }
        Some(sample)
    }

    fn status(&self) -> LinkStatus {
        self.arm.status()
    }

    fn offer(&mut self, command: JointCommand) {
        self.arm.offer(command);
    }

    fn take_written(&mut self) -> Option<CommandWritten> {
        self.arm.take_written()
    }

    fn release_torque(&mut self, parked: Parked) {
        self.arm.release_torque(parked);
    }

    fn fault(&self) -> Option<EndCause> {
        self.arm.fault()
    }

    fn release(&mut self) {
        self.arm.release();
    }

    fn guardian(&self) -> Option<Box<dyn HoldGuardian>> {
        self.arm.guardian()
    }
}
