//! Joint angles as the firmware counts them.

use core::fmt;

/// A joint, in the firmware's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Joint {
    /// Servo 11. Positive: to the left, counter-clockwise seen from above.
    Base,
    /// Servos 12 (driving) and 13 (mirrored). Positive: forward and down.
    Shoulder,
    /// Servo 14. Positive: down.
    Elbow,
    /// Servo 15. Positive: down.
    Wrist,
    /// Servo 16. Turns the hand about its axis.
    Roll,
    /// Servo 17. π is closed, smaller is open.
    Hand,
}

impl Joint {
    /// All joints, in the order of every array in this crate.
    pub const ALL: [Self; 6] = [Self::Base, Self::Shoulder, Self::Elbow, Self::Wrist, Self::Roll, Self::Hand];

    /// Place of the joint in arrays of six.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word in T:102 for this joint.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Shoulder => "shoulder",
            Self::Elbow => "elbow",
            Self::Wrist => "wrist",
            Self::Roll => "roll",
            Self::Hand => "hand",
        }
    }
}

impl fmt::Display for Joint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// Angles of all joints in the firmware's own frame, radians.
///
/// All zero is the arm stretched straight up. Home is (0, 0, π/2, 0, 0, π). Signs: see [`Joint`].
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct FirmwareAngles {
    /// Base, rad.
    pub base_rad: f64,
    /// Shoulder, rad.
    pub shoulder_rad: f64,
    /// Elbow, rad.
    pub elbow_rad: f64,
    /// Wrist (pitch of the hand), rad.
    pub wrist_rad: f64,
    /// Roll, rad.
    pub roll_rad: f64,
    /// Hand, rad: π closed, smaller open.
    pub hand_rad: f64,
}

impl FirmwareAngles {
    /// The pose that the board drives to at boot: forearm level, hand closed.
    pub const HOME: Self =
        Self::from_array([0.0, 0.0, core::f64::consts::FRAC_PI_2, 0.0, 0.0, core::f64::consts::PI]);

    /// Angles from an array in the order of [`Joint::ALL`], rad.
    #[must_use]
    pub const fn from_array(angles_rad: [f64; 6]) -> Self {
        let [base_rad, shoulder_rad, elbow_rad, wrist_rad, roll_rad, hand_rad] = angles_rad;
        Self { base_rad, shoulder_rad, elbow_rad, wrist_rad, roll_rad, hand_rad }
    }

    /// The angles in the order of [`Joint::ALL`], rad.
    #[must_use]
    pub const fn to_array(self) -> [f64; 6] {
        [self.base_rad, self.shoulder_rad, self.elbow_rad, self.wrist_rad, self.roll_rad, self.hand_rad]
    }

    /// Whether every angle is a finite number.
    #[must_use]
    pub const fn is_finite(self) -> bool {
        self.base_rad.is_finite()
            && self.shoulder_rad.is_finite()
            && self.elbow_rad.is_finite()
            && self.wrist_rad.is_finite()
            && self.roll_rad.is_finite()
            && self.hand_rad.is_finite()
    }
}
