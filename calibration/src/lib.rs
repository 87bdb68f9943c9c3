//! Joints, units, frames, limits, kinematics and collision geometry of the RoArm-M3.
//!
//! Three descriptions of the same pose exist, and each has its own type so that they cannot be mixed up:
//!
//! | type | unit | gripper | where |
//! | --- | --- | --- | --- |
//! | [`JointAngles`] | radians | 0 closed, positive open | everywhere inside `roarm` |
//! | [`DatasetAngles`] | degrees | 0 closed, positive open (the vendor SDK's 180° − hand) | datasets and policies only |
//! | [`firmware_protocol::FirmwareAngles`] | radians | hand: π closed, smaller open | the wire only |
//!
//! All share the firmware's signs: base + left (counter-clockwise from above), shoulder + forward, elbow + down, wrist + down.

mod angles;
pub mod collision;
mod firmware_frame;
mod joint;
pub mod kinematics;
mod limits;

pub use angles::{DatasetAngles, JointAngles};
pub use joint::{JOINT_COUNT, Joint};
pub use limits::{JointLimits, LimitViolation};
