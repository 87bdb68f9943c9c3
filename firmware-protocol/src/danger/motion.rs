//! Values of the board's own Cartesian and jog motion: T:103, T:104, T:123.

use crate::Error;

/// A coordinate of T:103 and T:123, in the order of the wire's 1..=6. In a jog of joints the same numbers are base,
/// shoulder, elbow, wrist, roll, hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// Forward, mm.
    X = 1,
    /// To the left, mm.
    Y = 2,
    /// Up, mm.
    Z = 3,
    /// Pitch, rad.
    Pitch = 4,
    /// Roll, rad.
    Roll = 5,
    /// Hand, rad.
    Hand = 6,
}

impl Axis {
    /// All of them, in the order of the wire.
    pub const ALL: [Self; 6] = [Self::X, Self::Y, Self::Z, Self::Pitch, Self::Roll, Self::Hand];
}

/// `spd` of T:103 and T:104, 0.05..=10: how much of the way one step of about 2.7 ms takes, in mm (or rad, for a turn).
///
/// Not mm/s: the number of steps is the largest change of a coordinate divided by it. 100 mm at the usual 0.25 are 400
/// steps, 1.1 s; 1 rad of pure rotation is 4 steps, a jump. With 0 or a missing one G1 never leaves the move.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct InterpolationSpeed(f64);

impl InterpolationSpeed {
    /// What the vendor's clients send.
    pub const USUAL: Self = Self(0.25);

    /// A coefficient of 0.05..=10.
    pub fn new(mm_or_rad_per_step: f64) -> Result<Self, Error> {
        let what = "the speed coefficient of T:103/T:104 (mm or rad a step)";
        Error::check_range(what, mm_or_rad_per_step, 0.05, 10.0).map(Self)
    }

    /// The coefficient, mm or rad a step.
    #[must_use]
    pub const fn mm_or_rad_per_step(self) -> f64 {
        self.0
    }
}

/// What T:123 moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JogMode {
    /// Joints, by 0.0005 · speed rad a loop pass, at full servo speed.
    Joints = 0,
    /// The tool, by 0.1 · speed mm (or 0.0005 · speed rad) a pass.
    Tool = 1,
}

/// Which way T:123 moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JogDirection {
    /// This axis stops; the others go on.
    Stop = 0,
    /// To larger values.
    Up = 1,
    /// To smaller values.
    Down = 2,
}
