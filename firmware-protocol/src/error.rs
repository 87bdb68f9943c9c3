//! The one error type of the crate.

/// Why a value of this crate could not be made. Each message names the cause and what to send instead.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
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
    /// A pose leads a joint outside the generation's limits, where the board would clamp it and end elsewhere.
    #[error(
        "the pose needs the {joint} at {angle_rad} rad, outside its limits; the board would clamp it and end elsewhere"
    )]
    OutsideLimits {
        /// The joint in question.
        joint: crate::Joint,
        /// The angle that it would need, rad.
        angle_rad: f64,
    },
    /// A pose that the firmware's inverse kinematics cannot reach or does not invert.
    #[error(
        "the tool pose is out of the firmware's reach (or off its one branch); the board would not notice and swing up: \
         choose a pose in front of the base axis, or command joints (T:102)"
    )]
    OutOfReach,
    /// Speed 0 means *maximum* on the wire and is therefore not a speed.
    #[error("a servo speed must be 1..=65535 steps/s: 0 means full speed to the servo")]
    Speed,
    /// Acceleration 0 means *no ramp* on the wire, and values above 254 become 0.
    #[error("a servo acceleration must be 1..=254 units of 100 steps/s²: 0 means no ramp to the servo")]
    Acceleration,
    /// T:121 and T:122 take whole degrees a second; 0 and what wraps to 0 means *maximum*.
    #[error("a speed in degrees must be 1..=5759 °/s: 0 means full speed, and 5760 wraps to 0")]
    DegreeSpeed,
    /// T:121 and T:122 keep the converted acceleration in a byte.
    #[error(
        "an acceleration of T:121/T:122 must be 1..=22: 23 wraps to a slow ramp, 45 and 90 to none (NO_RAMP says 0)"
    )]
    DegreeAcceleration,
    /// The board clamps torque limits silently.
    #[error("a torque limit must be 50..=1000 (0.1 %): the board would clamp it")]
    TorqueLimit,
    /// P = 0 makes a joint limp.
    #[error("a P gain must be 1..=255: 0 makes the joint limp")]
    Gain,
    /// The firmware writes past its arrays with ids that are not the arm's.
    #[error(
        "servo id {id} is not one of the arm's 11..=17: others corrupt the board's memory, and 254 is all servos"
    )]
    ServoId {
        /// The refused id.
        id: u8,
    },
    /// A number outside what the board takes as it is.
    #[error("{what} must be {min}..={max}, not {value}: the board would take another number without a word")]
    OutOfRange {
        /// What the number is, with its unit.
        what: &'static str,
        /// The smallest value.
        min: f64,
        /// The largest value.
        max: f64,
        /// The refused value.
        value: f64,
    },
    /// A file or mission name with other characters, or too long for the board's file system.
    #[error("a file or mission name must be 1 to {max} of the characters A-Z a-z 0-9 . _ -")]
    Name {
        /// Longest name, bytes.
        max: u8,
    },
    /// The boot mission runs at each start of the board; only [`crate::danger`] writes to it.
    #[error(
        "`boot` is what the board runs at each start; write to it through the module `danger` only, read it with T:602"
    )]
    BootMission,
    /// A control character (line feed, NUL, …) in a text. It would end the board's line, or its string.
    #[error("control characters cannot be in a text for the board: one would end its line or its string")]
    ControlCharacter,
    /// The line would be longer than the 255 bytes that G3 keeps; the rest would be cut off and the command lost.
    #[error(
        "the command would be {bytes} bytes long; firmware G3 cuts lines at 255 and loses them: shorten the text"
    )]
    LineTooLong {
        /// Bytes of the line, its LF not counted.
        bytes: usize,
    },
    /// The command would not fit into the document of boards with ArduinoJson 6; they would drop it without a word.
    #[error(
        "the command needs {bytes} bytes of the board's 256-byte JSON pool and would be dropped silently: shorten the text"
    )]
    PoolTooSmall {
        /// Bytes of the pool needed.
        bytes: usize,
    },
    /// Not a MAC address.
    #[error("a MAC address is six pairs of hexadecimal digits with colons between them: AA:BB:CC:DD:EE:FF")]
    MacAddress,
}

impl Error {
    /// `value` if it lies within `min..=max`; never for NaN.
    pub(crate) fn check_range(what: &'static str, value: f64, min: f64, max: f64) -> Result<f64, Self> {
        if min <= value && value <= max { Ok(value) } else { Err(Self::OutOfRange { what, min, max, value }) }
    }
}
