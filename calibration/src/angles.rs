//! Poses as angles, one type for each frame.

use crate::{JOINT_COUNT, Joint};

/// Joint angles in radians, the joint frame: the firmware's signs, gripper 0 closed and positive open.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct JointAngles([f64; JOINT_COUNT]);

/// Joint angles in degrees as the vendor's SDK reports them and LeRobot datasets store them: gripper = 180° − hand.
///
/// Since the joint frame's gripper is π − hand, the two frames differ by the unit alone (`roarm-sdk` 0.1.1 `common.py`).
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct DatasetAngles([f64; JOINT_COUNT]);

macro_rules! angle_vector {
    ($type:ident, $from:ident, $to:ident, $unit:literal) => {
        impl $type {
            /// All joints at zero: upper arm and forearm upright, gripper closed.
            pub const ZERO: Self = Self([0.0; JOINT_COUNT]);

            #[doc = concat!("Angles in ", $unit, ", in the order of [`Joint::ALL`].")]
            pub const fn $from(angles: [f64; JOINT_COUNT]) -> Self {
                Self(angles)
            }

            #[doc = concat!("The angles in ", $unit, ", in the order of [`Joint::ALL`].")]
            pub const fn $to(self) -> [f64; JOINT_COUNT] {
                self.0
            }

            #[doc = concat!("One joint's angle in ", $unit, ".")]
            pub const fn get(&self, joint: Joint) -> f64 {
                self.0[joint.index()]
            }

            #[doc = concat!("Sets one joint's angle in ", $unit, ".")]
            pub const fn set(&mut self, joint: Joint, angle: f64) {
                self.0[joint.index()] = angle;
            }

            /// Whether every angle is a finite number. NaN passes through `min`, `max` and `clamp`: test this first.
            pub fn is_finite(&self) -> bool {
                self.0.iter().all(|angle| angle.is_finite())
            }

            /// The largest absolute difference to `other` over the joints.
            pub fn max_difference(&self, other: &Self) -> f64 {
                self.0.iter().zip(other.0).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
            }

            /// Applies `function` to each angle.
            pub fn map(self, function: impl FnMut(f64) -> f64) -> Self {
                Self(self.0.map(function))
            }

            /// The pose at `fraction` of the straight line in joint space to `other` (0 here, 1 there).
            pub fn interpolate(&self, other: &Self, fraction: f64) -> Self {
                Self(std::array::from_fn(|joint| self.0[joint] + fraction * (other.0[joint] - self.0[joint])))
            }
        }
    };
}

angle_vector!(JointAngles, from_array_rad, to_array_rad, "radians");
angle_vector!(DatasetAngles, from_array_deg, to_array_deg, "degrees");

impl From<DatasetAngles> for JointAngles {
    fn from(angles: DatasetAngles) -> Self {
        Self(angles.0.map(f64::to_radians))
    }
}

impl From<JointAngles> for DatasetAngles {
    fn from(angles: JointAngles) -> Self {
        Self(angles.0.map(f64::to_degrees))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_and_radians_convert_both_ways() {
        let dataset = DatasetAngles::from_array_deg([-20.9, 94.96, -71.98, 107.98, 19.6, 59.97]);
        let joint = JointAngles::from(dataset);
        assert!((joint.get(Joint::Elbow) + 1.256_288).abs() < 1e-6);
        assert!(DatasetAngles::from(joint).max_difference(&dataset) < 1e-12);
    }

    #[test]
    fn interpolation_meets_both_ends() {
        let from = JointAngles::from_array_rad([0.0, 1.0, 2.0, 3.0, -1.0, 0.5]);
        let to = JointAngles::from_array_rad([1.0, 0.0, 2.0, -3.0, 1.0, 0.25]);
        assert_eq!(from.interpolate(&to, 0.0), from);
        assert!(from.interpolate(&to, 1.0).max_difference(&to) < 1e-15);
        assert!((from.interpolate(&to, 0.5).get(Joint::Wrist)).abs() < 1e-15);
    }

    #[test]
    fn nan_is_seen() {
        let mut angles = JointAngles::ZERO;
        assert!(angles.is_finite());
        angles.set(Joint::Roll, f64::NAN);
        assert!(!angles.is_finite());
    }
}
