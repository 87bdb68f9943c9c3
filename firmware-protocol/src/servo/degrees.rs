//! Speeds and accelerations of T:121 and T:122, which the board converts to registers itself.

use crate::Error;
use crate::steps::STEP_RAD;

/// Register value of a number of degrees: 4096 steps to 360°, rounded half away from zero.
const fn steps_of(degrees: u32) -> u32 {
    (degrees * 4096 + 180) / 360
}

/// Speed of a joint in T:121 and T:122, whole °/s, 1..=5759.
///
/// The board cuts fractions off, so 0.9 would be 0, which is *full speed*; 5760 °/s wraps to 0 in its 16-bit register
/// (firmware G1, run on a host). Stock servos top out near 270 °/s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DegreeSpeed(u16);

impl DegreeSpeed {
    /// The largest speed that does not wrap, °/s.
    pub const MAX_DEG_PER_S: u16 = 5759;

    /// A speed in °/s. 0 and anything above [`Self::MAX_DEG_PER_S`] is refused.
    ///
    /// ```
    /// use firmware_protocol::DegreeSpeed;
    /// let speed = DegreeSpeed::new(30)?;
    /// assert_eq!(speed.steps_per_s(), 341);
    /// assert!(DegreeSpeed::new(0).is_err() && DegreeSpeed::new(5760).is_err());
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub const fn new(deg_per_s: u16) -> Result<Self, Error> {
        if deg_per_s == 0 || deg_per_s > Self::MAX_DEG_PER_S {
            Err(Error::DegreeSpeed)
        } else {
            Ok(Self(deg_per_s))
        }
    }

    /// Degrees a second, as on the wire.
    #[must_use]
    pub const fn deg_per_s(self) -> u16 {
        self.0
    }

    /// What the board writes to the servo's speed register, steps/s.
    #[must_use]
    pub const fn steps_per_s(self) -> u16 {
        steps_of(self.0 as u32) as u16
    }
}

/// Acceleration of a joint in T:121 and T:122, 0..=22.
///
/// The firmware calls the unit °/s² and converts degrees to steps, but the servo's register counts *hundreds* of
/// steps/s²: 1 here is 11 units, 97 °/s². The result is kept in a byte, so 23 wraps to 6 and 45 and 90 to 0, *no ramp*
/// (firmware G1 `allJointsAngleCtrl`); those are not constructible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DegreeAcceleration(u8);

impl DegreeAcceleration {
    /// No ramp: the servo jumps to its speed at once. Sent as 0; said by name, so that nobody sends it by accident.
    pub const NO_RAMP: Self = Self(0);

    /// A value of 1..=22, as it stands on the wire.
    ///
    /// ```
    /// use firmware_protocol::DegreeAcceleration;
    /// let acceleration = DegreeAcceleration::new(2)?;
    /// assert_eq!(acceleration.register_units(), 23);
    /// assert!(DegreeAcceleration::new(0).is_err() && DegreeAcceleration::new(23).is_err());
    /// # Ok::<(), firmware_protocol::Error>(())
    /// ```
    pub const fn new(wire_value: u8) -> Result<Self, Error> {
        if wire_value == 0 || wire_value > 22 { Err(Error::DegreeAcceleration) } else { Ok(Self(wire_value)) }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn wire_value(self) -> u8 {
        self.0
    }

    /// What the board writes to the servo's acceleration register, 100 steps/s²; 0 is no ramp.
    #[must_use]
    pub const fn register_units(self) -> u8 {
        steps_of(self.0 as u32) as u8
    }

    /// The acceleration that this comes to, rad/s²; infinite for [`Self::NO_RAMP`].
    #[must_use]
    pub fn rad_per_s2(self) -> f64 {
        if self.0 == 0 { f64::INFINITY } else { f64::from(self.register_units()) * 100.0 * STEP_RAD }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_value_keeps_its_size_in_the_register() {
        for value in 1..=22 {
            let units = steps_of(u32::from(value));
            assert!((1..=254).contains(&units));
            assert_eq!(u32::from(DegreeAcceleration::new(value).unwrap().register_units()), units);
        }
        assert_eq!(steps_of(23), 262, "23 wraps to 6");
        assert_eq!(DegreeAcceleration::new(1).unwrap().register_units(), 11);
        assert!((DegreeAcceleration::new(1).unwrap().rad_per_s2().to_degrees() - 96.7).abs() < 0.1);
        assert!(DegreeAcceleration::NO_RAMP.rad_per_s2().is_infinite());
        assert_eq!(DegreeSpeed::new(5759).unwrap().steps_per_s(), 65_525);
        assert_eq!(steps_of(5760), 65_536, "5760 wraps to 0");
        assert_eq!(DegreeSpeed::new(1).unwrap().steps_per_s(), 11);
    }
}
