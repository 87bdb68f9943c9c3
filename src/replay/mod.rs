//! Playing what was recorded.
//!
//! [`RecordedActions`] answers the core's requests for chunks from a recorded episode, so that it moves an arm in place of a policy, with
//! every rule of the gate in force. [`Inspection`] says before that what of it this arm cannot do.
//!
//! [`replay`] plays a run's log again without devices: core and policy get what they got, and every bit of what they give is compared.
//! [`swap_policy`] asks another policy what it would have said.

mod chunks;
mod difference;
mod error;
mod inspection;
mod recorded_actions;
mod run;
mod swap;
mod ticks;

pub use difference::Difference;
pub use error::ReplayError;
pub use inspection::{Inspection, JointBeyond, PoseBeyond, SpeedBeyond};
pub use recorded_actions::RecordedActions;
pub use run::{ReplayReport, replay};
pub use swap::{JointSwap, SwapReport, swap_policy};
