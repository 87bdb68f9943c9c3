//! Bounds on a joint's motion.

/// Bounds that hold for each joint: velocity rad/s, acceleration rad/s², jerk rad/s³. All positive and finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MotionBounds {
    /// Largest velocity, rad/s.
    pub velocity_rad_s: f64,
    /// Largest acceleration, rad/s².
    pub acceleration_rad_s2: f64,
    /// Largest jerk, rad/s³. With acceleration / jerk of about 0.1 s a motion sets in and out within three command ticks.
    pub jerk_rad_s3: f64,
}

impl MotionBounds {
    /// Whether every bound is positive and finite.
    pub fn is_valid(&self) -> bool {
        [self.velocity_rad_s, self.acceleration_rad_s2, self.jerk_rad_s3]
            .iter()
            .all(|bound| bound.is_finite() && *bound > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_must_be_positive_and_finite() {
        let bounds = MotionBounds { velocity_rad_s: 1.5, acceleration_rad_s2: 10.0, jerk_rad_s3: 100.0 };
        assert!(bounds.is_valid());
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(!MotionBounds { velocity_rad_s: wrong, ..bounds }.is_valid(), "{wrong}");
            assert!(!MotionBounds { acceleration_rad_s2: wrong, ..bounds }.is_valid(), "{wrong}");
            assert!(!MotionBounds { jerk_rad_s3: wrong, ..bounds }.is_valid(), "{wrong}");
        }
    }
}
