//! Joint limits of a firmware generation, in the joint frame.
//!
//! The board clamps silently, so a goal outside is a goal it does not go to. Source of the numbers:
//! [`firmware_protocol::limits`]. They are the detected generation's, not the tightest of all: data recorded on one
//! generation may be executable there and not on another.

use std::f64::consts::PI;
use std::fmt;

use firmware_protocol::Generation;
use firmware_protocol::limits::{AngleRange, ranges};

use crate::{JOINT_COUNT, Joint, JointAngles};

/// Lowest and highest angle of each joint, joint frame, radians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JointLimits {
    min_rad: [f64; JOINT_COUNT],
    max_rad: [f64; JOINT_COUNT],
}

/// A joint that stands outside its limits.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{joint} {:.1}° is outside {:.1}°..{:.1}°", angle_rad.to_degrees(), min_rad.to_degrees(), max_rad.to_degrees())]
pub struct LimitViolation {
    /// The joint.
    pub joint: Joint,
    /// Its angle, rad (NaN counts as outside).
    pub angle_rad: f64,
    /// Its lowest angle, rad.
    pub min_rad: f64,
    /// Its highest angle, rad.
    pub max_rad: f64,
}

impl JointLimits {
    /// What a board of this generation goes to.
    pub fn of(generation: Generation) -> Self {
        let [base, shoulder, elbow, wrist, roll, hand] = ranges(generation);
        // gripper = π − hand: the hand's highest angle is the gripper's lowest.
        let gripper = AngleRange { min_rad: PI - hand.max_rad, max_rad: PI - hand.min_rad };
        let all = [base, shoulder, elbow, wrist, roll, gripper];
        Self { min_rad: all.map(|range| range.min_rad), max_rad: all.map(|range| range.max_rad) }
    }

    /// Lowest angles, rad.
    pub const fn min(&self) -> JointAngles {
        JointAngles::from_array_rad(self.min_rad)
    }

    /// Highest angles, rad.
    pub const fn max(&self) -> JointAngles {
        JointAngles::from_array_rad(self.max_rad)
    }

    /// Lowest and highest angle of one joint, rad.
    pub const fn range_rad(&self, joint: Joint) -> (f64, f64) {
        (self.min_rad[joint.index()], self.max_rad[joint.index()])
    }

    /// Whether every joint lies inside, ends included; never with a NaN.
    pub fn contains(&self, angles: &JointAngles) -> bool {
        self.violations(angles).next().is_none()
    }

    /// The nearest pose inside. A NaN stays NaN: test [`JointAngles::is_finite`] before.
    pub fn clamp(&self, angles: &JointAngles) -> JointAngles {
        let mut clamped = *angles;
        for LimitViolation { joint, angle_rad, min_rad, max_rad } in self.violations(angles) {
            if angle_rad < min_rad {
                clamped.set(joint, min_rad);
            } else if angle_rad > max_rad {
                clamped.set(joint, max_rad);
            }
        }
        clamped
    }

    /// The joints outside, in order.
    pub fn violations(&self, angles: &JointAngles) -> impl Iterator<Item = LimitViolation> {
        let (limits, angles) = (*self, *angles);
        Joint::ALL.into_iter().filter_map(move |joint| {
            let (min_rad, max_rad) = limits.range_rad(joint);
            let angle_rad = angles.get(joint);
            let inside = min_rad <= angle_rad && angle_rad <= max_rad;
            (!inside).then_some(LimitViolation { joint, angle_rad, min_rad, max_rad })
        })
    }
}

impl fmt::Display for JointLimits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for joint in Joint::ALL {
            let (min_rad, max_rad) = self.range_rad(joint);
            let separator = if joint == Joint::Base { "" } else { ", " };
            write!(
                formatter,
                "{separator}{joint} {:.1}°..{:.1}°",
                min_rad.to_degrees(),
                max_rad.to_degrees()
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reference: firmware G1 `constrain` of the elbow at steps 512..3071 (−45°..180°), G3 at 1024 (0°), hand 700..3396.
    #[test]
    fn limits_are_those_of_the_generation() {
        let low = JointAngles::from_array_rad([0.0, 0.0, -0.5, 0.0, 0.0, 0.0]);
        assert!(JointLimits::of(Generation::G1).contains(&low));
        assert!(!JointLimits::of(Generation::G3).contains(&low));
        let (closed, open) = JointLimits::of(Generation::G1).range_rad(Joint::Gripper);
        assert!((closed + 2.067_825).abs() < 1e-4, "beyond closed: {closed}");
        assert!((open - 2.067_806).abs() < 1e-4, "wide open: {open}");
        let (closed, _) = JointLimits::of(Generation::G1b).range_rad(Joint::Gripper);
        assert!((closed + 0.840_6).abs() < 1e-4, "G1b closes less far: {closed}");
    }

    #[test]
    fn a_violation_names_the_joint_and_the_degrees() {
        let limits = JointLimits::of(Generation::G3);
        let angles = JointAngles::from_array_rad([0.0, 0.0, -0.8, f64::NAN, 0.0, 0.0]);
        let found: Vec<_> = limits.violations(&angles).collect();
        assert_eq!(
            found.iter().map(|violation| violation.joint).collect::<Vec<_>>(),
            [Joint::Elbow, Joint::Wrist]
        );
        assert_eq!(found[0].to_string(), "elbow -45.8° is outside 0.0°..179.9°");
        assert!(found[1].to_string().starts_with("wrist NaN"));
    }

    #[test]
    fn nan_is_not_clamped_into_a_valid_pose() {
        let angles = JointAngles::from_array_rad([f64::NAN; 6]);
        assert!(
            JointLimits::of(Generation::G1).clamp(&angles).to_array_rad().iter().all(|angle| angle.is_nan())
        );
    }

    proptest! {
        #[test]
        fn clamped_lies_inside_and_moves_only_what_was_outside(angles in proptest::array::uniform6(-9.0..9.0_f64)) {
            let angles = JointAngles::from_array_rad(angles);
            for generation in Generation::ALL {
                let limits = JointLimits::of(generation);
                let clamped = limits.clamp(&angles);
                prop_assert!(limits.contains(&clamped));
                let outside: Vec<_> = limits.violations(&angles).map(|violation| violation.joint).collect();
                for joint in Joint::ALL {
                    prop_assert_eq!(clamped.get(joint) != angles.get(joint), outside.contains(&joint));
                }
            }
        }
    }
}
