//! Speeds and accelerations of T:101, T:102 and T:106: the servo's own registers.

use crate::Error;
use crate::steps::STEP_RAD;

/// Speed of a servo, steps/s: register 46. 651.9 steps/s is 1 rad/s; the stock servos top out near 3070.
///
/// 0 is not constructible: on the wire it means *maximum*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServoSpeed(u16);

impl ServoSpeed {
    /// The slowest speed, 1 step/s.
    pub const MIN: Self = Self(1);

    /// A speed in steps/s; 0 is refused.
    pub const fn new(steps_per_s: u16) -> Result<Self, Error> {
        if steps_per_s == 0 { Err(Error::Speed) } else { Ok(Self(steps_per_s)) }
    }

    /// The register value nearest to a speed in rad/s; positive speeds below half a step/s become 1 step/s, those above
    /// the register its largest value. Zero, negative and NaN are refused.
    pub fn from_rad_per_s(speed_rad_per_s: f64) -> Result<Self, Error> {
        if speed_rad_per_s > 0.0 {
            Self::new((libm::round(speed_rad_per_s / STEP_RAD) as u16).max(1)) // `as` saturates
        } else {
            Err(Error::Speed)
        }
    }

    /// Steps a second.
    #[must_use]
    pub const fn steps_per_s(self) -> u16 {
        self.0
    }

    /// Radians a second.
    #[must_use]
    pub fn rad_per_s(self) -> f64 {
        f64::from(self.0) * STEP_RAD
    }
}

/// Acceleration of a servo in units of 100 steps/s² (0.153 rad/s², 8.79 °/s²): register 41, 1..=254.
///
/// 0 is not constructible: on the wire it means *no ramp*, and so does everything the firmware's `u8` cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServoAcceleration(u8);

impl ServoAcceleration {
    /// One unit, rad/s².
    pub const UNIT_RAD_PER_S2: f64 = 100.0 * STEP_RAD;

    /// An acceleration in units of 100 steps/s²; 0 and 255 are refused.
    pub const fn new(units: u8) -> Result<Self, Error> {
        if units == 0 || units == 255 { Err(Error::Acceleration) } else { Ok(Self(units)) }
    }

    /// The register value nearest to an acceleration in rad/s², kept in 1..=254. Zero, negative and NaN are refused.
    pub fn from_rad_per_s2(acceleration_rad_per_s2: f64) -> Result<Self, Error> {
        if acceleration_rad_per_s2 > 0.0 {
            let units = libm::round(acceleration_rad_per_s2 / Self::UNIT_RAD_PER_S2) as u8; // `as` saturates
            Self::new(units.clamp(1, 254))
        } else {
            Err(Error::Acceleration)
        }
    }

    /// Units of 100 steps/s².
    #[must_use]
    pub const fn units(self) -> u8 {
        self.0
    }

    /// Radians a second squared.
    #[must_use]
    pub fn rad_per_s2(self) -> f64 {
        f64::from(self.0) * Self::UNIT_RAD_PER_S2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_not_a_speed() {
        assert_eq!(ServoSpeed::new(0), Err(Error::Speed));
        for refused in [0.0, -1.0, f64::NAN] {
            assert_eq!(ServoSpeed::from_rad_per_s(refused), Err(Error::Speed));
            assert_eq!(ServoAcceleration::from_rad_per_s2(refused), Err(Error::Acceleration));
        }
        assert_eq!(ServoSpeed::from_rad_per_s(1e-9), Ok(ServoSpeed::MIN));
        assert_eq!(ServoSpeed::from_rad_per_s(1.0).map(ServoSpeed::steps_per_s), Ok(652));
        assert_eq!(ServoSpeed::from_rad_per_s(f64::INFINITY).map(ServoSpeed::steps_per_s), Ok(65535));
    }

    #[test]
    fn accelerations_stay_in_the_register() {
        assert_eq!(ServoAcceleration::new(0), Err(Error::Acceleration));
        assert_eq!(ServoAcceleration::new(255), Err(Error::Acceleration));
        assert_eq!(ServoAcceleration::from_rad_per_s2(1e9).map(ServoAcceleration::units), Ok(254));
        assert_eq!(ServoAcceleration::from_rad_per_s2(1e-9).map(ServoAcceleration::units), Ok(1));
        assert_eq!(
            ServoAcceleration::from_rad_per_s2(8.79_f64.to_radians()).map(ServoAcceleration::units),
            Ok(1)
        );
    }
}
