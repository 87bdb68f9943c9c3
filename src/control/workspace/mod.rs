//! Where the arm may be: the table, its reach, boxes to keep out of, and itself, by capsules around all of its links.
//!
//! The rule of the gate judges each command by the place where the arm would come to rest if it had to brake right after it, so
//! that it can always stop before what it must not touch. [`check_way`] judges a whole way before its first motion, and
//! [`check_way_back`] the way back to where the policy was when the link was lost.

mod guard;
mod reason;
mod way;

pub use calibration::collision::{KeepOutBox, ReachCylinder, ReachSphere, Table, Workspace};
pub(super) use guard::{Braking, WorkspaceGuard};
pub use reason::{WorkspaceCounts, WorkspaceReason};
pub use way::{WayRefused, check_way, check_way_back};
