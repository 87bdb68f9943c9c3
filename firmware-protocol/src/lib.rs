//! # The serial protocol of the Waveshare RoArm-M3, as values
//!
//! Commands and feedback of the arm's ESP32 board, sans-I/O: bytes in, values out, and back. The core is `no_std`, without
//! an allocator, and never panics on bytes from outside. With the feature `emulator` there is a virtual board
//! (`emulator::Board`) that answers bytes with bytes on its own clock.
//!
//! Compiled from the vendor's sources by reading (generations [`Generation::G1`] and [`Generation::G3`]) and checked
//! against what the vendor's G1 handlers did when run on a host. Not tested on hardware.
//!
//! | page | what |
//! |---|---|
//! | below | [all codes](#codes), by theme |
//! | [`manual::link_budget`] | bytes, rates, latencies |
//! | [`manual::boot`] | what happens after power-up, and what a host sends first |
//! | [`manual::traps`] | what has moved, dropped or confused arms |
//! | [`Command`], [`FileCommand`], [`MissionCommand`], [`RadioCommand`] | what a host sends, an example each |
//! | [`danger`] | what drops the arm, blocks the board or rewrites settings |
//! | [`Feedback`], [`Line`], [`LineSplitter`] | what the board sends |
//! | [`health`] | what its lines say together: dead bus, dead servos, frozen or slow feedback, supply, generation |
//! | [`Generation`], [`limits`], [`steps`], [`kinematics`] | the firmware's own arithmetic |
//!
//! ```
//! use firmware_protocol::*;
//!
//! // Commands are values; what exists can be sent.
//! let command = Command::Joints {
//!     goal: GoalAngles::clamped(FirmwareAngles::HOME, Generation::G1)?,
//!     speed: ServoSpeed::from_rad_per_s(1.0)?,
//!     acceleration: ServoAcceleration::from_rad_per_s2(3.0)?,
//! };
//! let mut buffer = [0; Command::MAX_BYTES];
//! assert!(command.encode(&mut buffer).starts_with(b"{\"T\":102,\"base\":0.0000,"));
//!
//! // Bytes become lines, lines become values.
//! let mut lines = LineSplitter::<512>::new();
//! lines.push(b"Server Starts.\r\n{\"T\":1051,", |line| assert_eq!(parse_line(line), Line::Noise(line)));
//! let rest = b"\"x\":346.16,\"y\":0,\"z\":223.13,\"tit\":0,\"b\":0,\"s\":0,\"e\":1.5708,\"t\":0,\"r\":0,\"g\":3.14}\r\n";
//! lines.push(rest, |line| {
//!     let Line::Feedback(feedback) = parse_line(line) else { panic!() };
//!     assert_eq!(feedback.angles.elbow_rad, 1.5708);
//!     assert_eq!(feedback.supply_volt, None); // not sent is unknown, not 0
//! });
//! # Ok::<(), Error>(())
//! ```
//!
//! ## The link
//! UART, 115200 baud, 8N1, no flow control, no checksum: 11 520 bytes a second each way. Host to board: one JSON object a
//! line, ended by LF. Board to host: JSON objects and free text, mostly ended by CR LF.
//!
//! ## Rules of the board that shaped this crate
//! * A missing, null or out-of-range field is **0**, silently: speed 0 is full speed, acceleration 0 no ramp. So every
//!   command is sent whole, and its numbers are types that cannot be 0 or NaN.
//! * A line that parses and has no number `T` is **T:0**, the emergency stop, on G1 a fall of 10 s. Even the tail of a cut
//!   command can parse. So send [`LINE_BREAK`] first after opening, and only whole lines.
//! * Angles out of range are clamped silently: [`limits`] says where, by generation.
//! * Motion commands are never answered. The newest wins on G1; G3 queues up to 50.
//! * On G1 keep fewer than 256 bytes unacknowledged (its receive ring); each streamed T:1051 proves that it was emptied.
//!
//! ## Layers
//! [`Command`] -> bytes; bytes -> [`LineSplitter`] -> [`parse_line`] -> [`Line`] -> [`Feedback`]. Beside them the firmware's
//! arithmetic: [`steps`], [`limits`], [`kinematics`].
//!
#![doc = include_str!("manual/codes.md")]
#![no_std]

#[cfg(any(test, feature = "std"))]
extern crate std;

mod angles;
mod command;
pub mod danger;
#[cfg(feature = "emulator")]
pub mod emulator;
mod error;
mod feedback;
mod generation;
pub mod kinematics;
pub mod limits;
pub mod manual;
mod servo;
pub mod steps;

pub use angles::{FirmwareAngles, Joint};
pub use command::{
    Adaptation, BoardDelay, Command, EspNowMode, FeedbackMode, FileCommand, FileName, GoalAngles,
    GoalDegrees, GoalPose, HandGoal, JointGoal, JointGoalDegrees, LINE_BREAK, MAX_LINE_BYTES, MacAddress,
    MissionCommand, MissionName, Place, Pwm, RadioCommand, RadioControl, RadioMessage, Repeats,
};
pub use error::Error;
pub use feedback::health;
pub use feedback::{
    BusFault, Feedback, FeedbackError, FeedbackKey, FeedbackShape, Line, LineSplitter, TorqueSwitch,
    parse_line,
};
pub use generation::Generation;
pub use servo::{DegreeAcceleration, DegreeSpeed, Gain, ServoAcceleration, ServoId, ServoSpeed, TorqueLimit};
