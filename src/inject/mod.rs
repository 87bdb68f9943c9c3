//! The fault drill: thin wrappers at the ports of camera, policy, arm, clock and run log that fail on purpose, for `--inject`.
//!
//! A run without `--inject` has none of them: no branch, no call, no memory. Times count from the moment the policy takes charge
//! of the arm, except those of [`FaultPlace::Board`], which the virtual board counts on its own clock.

mod camera;
mod clock;
mod clocks;
mod control;
mod disk;
mod error;
mod kind;
mod link;
mod policy;

pub use clock::DrillClock;
pub use error::DrillError;
pub use kind::{DrillHelp, DrillKind, DrillThread, FaultPlace};

use crate::camera::FrameSource;
use crate::episode::run_log::LogFile;
use crate::policy::ChunkPolicy;
use crate::runtime::{ArmPort, SessionClocks};
use crate::types::TimedFault;

/// A fault that will happen to a run.
#[derive(Clone, Debug, PartialEq)]
pub struct DrillFault {
    /// What happens.
    pub kind: DrillKind,
    /// When, as it was written.
    pub timed: TimedFault,
}

/// All faults of a run.
#[derive(Clone, Debug, Default)]
pub struct Drill {
    faults: Vec<DrillFault>,
    clock: DrillClock,
}

impl Drill {
    /// Reads a list of faults, see [`TimedFault`] for its form and [`DrillHelp::ALL`] for the names.
    ///
    /// # Errors
    /// What is wrong, with the nearest valid name and an example.
    pub fn parse_list(list: &str) -> Result<Self, DrillError> {
        let faults = TimedFault::parse_list(list)?
            .into_iter()
            .map(|timed| Ok(DrillFault { kind: DrillKind::of(&timed)?, timed }))
            .collect::<Result<_, DrillError>>()?;
        Ok(Self { faults, clock: DrillClock::default() })
    }

    /// The clock that all faults share.
    pub const fn clock(&self) -> &DrillClock {
        &self.clock
    }

    /// The faults that happen there.
    pub fn at(&self, place: FaultPlace) -> impl Iterator<Item = &DrillFault> {
        self.faults.iter().filter(move |fault| fault.kind.place() == place)
    }

    /// The first fault that may not happen to a real arm.
    pub fn first_for_emulated_arms_only(&self) -> Option<&DrillFault> {
        self.faults.iter().find(|fault| !fault.kind.is_for_any_arm())
    }

    fn own(&self, place: FaultPlace) -> Vec<DrillFault> {
        self.at(place).cloned().collect()
    }

    /// The camera with this number (from 1), with its faults; as it is when it has none.
    pub fn camera(&self, number: usize, source: Box<dyn FrameSource>) -> Box<dyn FrameSource> {
        let mut faults = self.own(FaultPlace::Camera);
        faults.retain(|fault| fault.timed.target.is_none_or(|target| target == number));
        if faults.is_empty() {
            return source;
        }
        Box::new(camera::FaultyCamera::new(source, faults, self.clock.clone()))
    }

    /// The policy with its faults; as it is when it has none.
    pub fn policy(&self, policy: Box<dyn ChunkPolicy>) -> Box<dyn ChunkPolicy> {
        let faults = self.own(FaultPlace::Policy);
        if faults.is_empty() {
            return policy;
        }
        Box::new(policy::FaultyPolicy::new(policy, faults, self.clock.clone()))
    }

    /// The clocks that control and its watchdog go by.
    pub fn clocks(&self) -> SessionClocks {
        let (faults, drill) = (self.own(FaultPlace::Clock), self.clock.clone());
        let mut clocks = SessionClocks::default();
        if faults.iter().any(|fault| matches!(fault.kind, DrillKind::ClockStep(_))) {
            clocks.control = Box::new(clocks::SteppedClock::new(faults.clone(), drill.clone()));
        }
        if faults.iter().any(|fault| matches!(fault.kind, DrillKind::ThreadPanic(_))) {
            clocks.watchdog = Box::new(clocks::PanickingClock::new(faults, drill));
        }
        clocks
    }

    /// What the link's thread does, beside its own work, each time that it looks around.
    pub fn on_link_look(&self) -> Box<dyn FnMut() + Send> {
        let (faults, clock) = (self.own(FaultPlace::Link), self.clock.clone());
        Box::new(move || link::panic_if_active(&faults, &clock))
    }

    /// The run log's file with its faults; as it is when it has none.
    pub fn log_file(&self, file: Box<dyn LogFile>) -> Box<dyn LogFile> {
        let faults = self.own(FaultPlace::Disk);
        if faults.is_empty() {
            return file;
        }
        Box::new(disk::FullDisk::new(file, faults, self.clock.clone()))
    }

    /// The arm as the control thread sees it, with the faults of that thread and of the feedback.
    pub fn arm<A: ArmPort>(&self, arm: A) -> impl ArmPort + use<A> {
        control::FaultyArm::new(arm, self.own(FaultPlace::Control), self.clock.clone())
    }
}

#[cfg(test)]
mod tests;
