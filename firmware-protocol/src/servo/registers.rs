//! Torque limits, gains and bus ids.

use crate::Error;

/// Torque limit of a servo, 0.1 % of its maximum, 50..=1000: register 48, RAM only. The board clamps silently, and takes a
/// missing one for 50.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TorqueLimit(u16);

impl TorqueLimit {
    /// All that the servo has.
    pub const FULL: Self = Self(1000);
    /// What the board gives the hand's servo at boot.
    pub const HAND_AT_BOOT: Self = Self(300);

    /// A limit in 0.1 %; only 50..=1000.
    ///
    /// ```
    /// use firmware_protocol::TorqueLimit;
    /// assert_eq!(TorqueLimit::new(250)?.per_mille(), 250);
    /// assert!(TorqueLimit::new(49).is_err() && TorqueLimit::new(1001).is_err());
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub const fn new(per_mille: u16) -> Result<Self, Error> {
        if per_mille < 50 || per_mille > 1000 { Err(Error::TorqueLimit) } else { Ok(Self(per_mille)) }
    }

    /// The limit in 0.1 %.
    #[must_use]
    pub const fn per_mille(self) -> u16 {
        self.0
    }
}

/// A gain of a servo's position loop, register units. The firmware runs P = 16, I = 0.
///
/// As P it must be at least 1: 0 makes the joint limp. The board takes anything above 255 modulo 256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gain(u8);

impl Gain {
    /// P as the firmware sets it at boot and by T:109.
    pub const FIRMWARE_P: Self = Self(16);

    /// A gain of 1..=255.
    pub const fn new(units: u8) -> Result<Self, Error> {
        if units == 0 { Err(Error::Gain) } else { Ok(Self(units)) }
    }

    /// Register units.
    #[must_use]
    pub const fn units(self) -> u8 {
        self.0
    }
}

/// Bus id of one of the arm's servos, 11..=17. Any other id makes the firmware index its memory out of bounds (T:501,
/// T:503), and 254 is all servos at once; so no other can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServoId(u8);

impl ServoId {
    /// An id of 11..=17: base 11, shoulder 12 and 13, elbow 14, wrist 15, roll 16, hand 17.
    pub const fn new(id: u8) -> Result<Self, Error> {
        if id < 11 || id > 17 { Err(Error::ServoId { id }) } else { Ok(Self(id)) }
    }

    /// The id.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}
