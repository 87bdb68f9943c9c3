//! Whether a pose is free: the arm as capsules against itself, the table, its reach and boxes to keep out of.
//!
//! ```
//! use calibration::JointAngles;
//! use calibration::collision::{ArmCapsules, Table, Workspace};
//!
//! let arm = ArmCapsules::default();
//! let workspace = Workspace {
//!     self_margin_m: 0.005,
//!     table: Some(Table { height_m: 0.0, clearance_m: 0.002 }),
//!     ..Workspace::default()
//! };
//! let home = JointAngles::from_array_rad([0.0, 0.0, 1.5708, 0.0, 0.0, 0.0]);
//! assert!(workspace.check(&arm, &home).is_ok());
//! let onto_itself = JointAngles::from_array_rad([0.0, -1.5, 3.1, 0.0, 0.0, 0.0]);
//! let refused = workspace.check(&arm, &onto_itself).unwrap_err();
//! assert!(refused.to_string().contains("shoulder yoke"), "{refused}");
//! ```
//!
//! Everything is in the world frame (on the table under the base, x forward, y left, z up) and in metres. A check works on
//! fixed arrays: it allocates nothing and takes a few microseconds, so it can run for every command
//! (`cargo bench -p calibration`).

mod arm_capsules;
mod capsule;
mod clearance;
mod keep_out;
mod link_pairs;
mod placed;
mod travel;
mod workspace;

pub use arm_capsules::{ARM_CAPSULES, CAPSULE_COUNT};
pub use capsule::Capsule;
pub use clearance::{Clearance, Clearances, PoseRefused, Rule};
pub use keep_out::KeepOutBox;
pub use link_pairs::MEETING_LINKS;
pub use placed::{ArmCapsules, PlacedCapsules};
pub use workspace::{ReachCylinder, ReachSphere, Table, Workspace};
