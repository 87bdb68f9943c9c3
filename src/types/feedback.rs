//! Feedback as the control core sees it.

use super::{JointAngles, Timestamp};

/// One measured pose of the arm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeedbackSample {
    /// Counts valid feedback lines of a run, from 0.
    pub sequence: u64,
    /// Measured angles, joint frame, radians.
    pub angles: JointAngles,
    /// When the pose held: the line's arrival minus its time on the wire.
    pub measured: Timestamp,
    /// Whether the board says that no servo has its torque on (G3 only; G1 does not say and this stays false).
    pub torque_off: bool,
}
