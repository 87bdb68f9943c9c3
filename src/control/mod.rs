//! The control core: chunk schedule, interpolation, safety gate, stop states.
//!
//! Pure: no I/O, clock, thread, lock, allocation or randomness. [`Controller::tick`] takes the time and what happened since the
//! last tick, and gives back at most one command and one observation request. The live shell, the virtual-time shell and
//! tests drive the same code.
//!
//! A command is made only when the link would write it at once, and the next one only after the link has said that it was
//! written. So every bound holds between commands *as written*, whatever rate the link keeps.

#![forbid(unsafe_code)]

mod controller;
mod frozen_picture;
mod gate;
mod limiter;
mod pairing;
mod parameters;
mod phase;
mod player;
mod progress;
#[cfg(test)]
mod progress_tests;
mod ramp;
mod report;
#[cfg(test)]
mod safety_tests;
mod sag;

#[cfg(test)]
mod seam_tests;
mod servo_profile;
mod stop;
#[cfg(test)]
mod stop_tests;
#[cfg(test)]
mod test_script;
#[cfg(test)]
mod tests;
mod tracking;
mod trajectory;
mod workspace;

pub use controller::{Controller, Inputs, Outputs};
pub use frozen_picture::FrozenPicture;
pub use gate::GateCounts;
pub use parameters::{AfterLinkLoss, AfterStop, ControlParameters, JointBounds, Park};
pub use phase::{Phase, StartProposal};
pub use player::{Aggregation, ChunkSchedule, UnknownAggregation};
pub use progress::{GripperIdle, Plateau, PlateauAction};
pub use ramp::Ramp;
pub use report::{ControlReport, ShellReport};
pub use stop::{EndCause, StopKind};
pub use trajectory::{MotionBounds, MotionLimits, MotionReport};
pub use workspace::{
    KeepOutBox, ReachCylinder, ReachSphere, Table, WayRefused, Workspace, WorkspaceCounts, WorkspaceReason,
    check_way, check_way_back,
};
