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
    /// Top speed for the servos' own profile on the way to the goal, radians a second, positive.
    pub servo_speed_rad_s: f64,
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
