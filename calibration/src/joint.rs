//! The six joints and their order.

use std::fmt;

/// Number of joints, gripper included.
pub const JOINT_COUNT: usize = 6;

/// A joint of the arm, in the order of every vector of this project (and of the firmware and LeRobot's plugin).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Joint {
    /// Turns the arm about the vertical; positive to the left.
    Base,
    /// Upper arm; 0 is upright, positive leans forward.
    Shoulder,
    /// Forearm; 0 continues the upper arm, +90° makes it horizontal at home.
    Elbow,
    /// Pitch of the wrist; positive downwards.
    Wrist,
    /// Roll about the tool axis.
    Roll,
    /// The moving jaw; 0 is closed, positive opens.
    Gripper,
}

impl Joint {
    /// All joints in order.
    pub const ALL: [Self; JOINT_COUNT] =
        [Self::Base, Self::Shoulder, Self::Elbow, Self::Wrist, Self::Roll, Self::Gripper];

    /// Place in every joint vector, 0 to 5.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Lower-case name, as in configuration, datasets and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Shoulder => "shoulder",
            Self::Elbow => "elbow",
            Self::Wrist => "wrist",
            Self::Roll => "roll",
            Self::Gripper => "gripper",
        }
    }
}

impl fmt::Display for Joint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
