//! The one error type of the crate.

/// Why a value of this crate could not be made.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A firmware generation was named that this crate does not know.
    #[error("unknown firmware generation: write g1, g1b or g3")]
    UnknownGeneration,
    /// An angle is NaN or infinite. JSON has no such number: the board would read 0 and move there.
    #[error("the {joint} angle is not a finite number; check the values before they become a command")]
    AngleNotFinite {
        /// The joint in question.
        joint: crate::Joint,
    },
    /// An angle is so large that it is surely in degrees or garbage.
    #[error("the {joint} angle is {angle_rad} rad, beyond any servo (limit 9.9999); is it in degrees?")]
    AngleTooLarge {
        /// The joint in question.
        joint: crate::Joint,
        /// The refused angle, rad.
        angle_rad: f64,
    },
    /// Speed 0 means *maximum* on the wire and is therefore not a speed.
    #[error("a servo speed must be 1..=65535 steps/s: 0 means full speed to the servo")]
    Speed,
    /// Acceleration 0 means *no ramp* on the wire, and values above 254 become 0.
    #[error("a servo acceleration must be 1..=254 units of 100 steps/s²: 0 means no ramp to the servo")]
    Acceleration,
}
