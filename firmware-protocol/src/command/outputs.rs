//! The two 12 V outputs, and waiting.

use crate::Error;

/// Duty of a 12 V output, −255..=255; the sign is the direction (T:113).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pwm(i16);

impl Pwm {
    /// No current.
    pub const OFF: Self = Self(0);

    /// A duty of −255..=255 (255 is always on).
    pub fn new(duty: i16) -> Result<Self, Error> {
        Error::check_range("the duty of an output (1/255)", duty.into(), -255.0, 255.0).map(|_| Self(duty))
    }

    /// The duty in 1/255.
    #[must_use]
    pub const fn duty(self) -> i16 {
        self.0
    }
}

/// How long T:111 blocks the board, 1..=10 000 ms. The board would take up to 24 days, deaf; longer waits belong to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BoardDelay(u16);

impl BoardDelay {
    /// A delay of 1..=10 000 ms.
    pub fn from_ms(delay_ms: u16) -> Result<Self, Error> {
        Error::check_range("a delay (ms)", delay_ms.into(), 1.0, 10_000.0).map(|_| Self(delay_ms))
    }

    /// Milliseconds.
    #[must_use]
    pub const fn ms(self) -> u16 {
        self.0
    }
}
