//! The JSON library of the board: what it accepts, what it makes of it, and how it prints numbers.
//!
//! ArduinoJson is no strict parser, and its differences move arms: unquoted keys and text behind the closing brace are
//! accepted, missing and mistyped fields are 0, numbers are not correctly rounded. So the board has its own reader here.

mod build;
mod number;
mod pool;
mod print;
mod read;

pub(super) use build::{Item, Object};
pub(super) use print::{number_text, two_decimals};
pub(super) use read::{Document, read, read_unchecked};

/// The JSON library that the board's firmware was built with. Which one a shop unit has is not known; frames of 16 keys
/// speak for 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum JsonLibrary {
    /// ArduinoJson 6.21.3: commands beyond its 256-byte pool are dropped, and T:1051 ends after 16 keys.
    #[default]
    A6,
    /// ArduinoJson 7.2.0: no limit; short decimal numbers are read in single precision.
    A7,
}
