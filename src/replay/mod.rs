//! Playing what was recorded.
//!
//! [`RecordedActions`] answers the core's requests for chunks from a recorded episode, so that it moves the arm in place of a policy, with
//! every rule of the gate in force. [`Inspection`] says before that what of it this arm cannot do.

mod inspection;
mod recorded_actions;

pub use inspection::{Inspection, JointBeyond, PoseBeyond, SpeedBeyond};
pub use recorded_actions::RecordedActions;
