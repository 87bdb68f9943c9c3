//! Commands on their way to the arm, and the link's word that one was written.

use super::{JointAngles, Timestamp};

/// A joint goal that passed the gate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JointCommand {
    /// Counts commands of a run, from 0.
    pub sequence: u64,
    /// The control tick it was made in.
    pub tick: u64,
    /// The goal, joint frame, radians.
    pub goal: JointAngles,
    /// How fast the servos may go there.
    pub profile: ServoProfile,
}

/// Bounds on the trapezoid that each servo makes by itself on its way to a goal: the fields `spd` and `acc` of T:102, one pair for
/// all joints.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServoProfile {
    /// Top speed, rad/s, positive.
    pub speed_rad_s: f64,
    /// Acceleration and deceleration, rad/s², positive.
    pub acceleration_rad_s2: f64,
}

/// The link's report that the whole line of a command was handed to the port.
///
/// Step, velocity and acceleration are bounded from the last *written* command, not from the last one made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CommandWritten {
    /// The command.
    pub command: JointCommand,
    /// When its last byte was handed to the port.
    pub written: Timestamp,
}
