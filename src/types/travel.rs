//! How far the joints moved.

use super::{JOINT_COUNT, JointAngles};

/// The range of measured angles.
#[derive(Clone, Copy, Debug, Default)]
pub struct Travel {
    bounds: Option<([f64; JOINT_COUNT], [f64; JOINT_COUNT])>,
}

impl Travel {
    /// Takes a measured pose.
    pub fn observe(&mut self, angles: &JointAngles) {
        let angles = angles.to_array_rad();
        let (lower, upper) = self.bounds.get_or_insert((angles, angles));
        for joint in 0..JOINT_COUNT {
            lower[joint] = lower[joint].min(angles[joint]);
            upper[joint] = upper[joint].max(angles[joint]);
        }
    }

    /// Largest minus smallest angle of each joint, degrees.
    pub fn range_deg(&self) -> [f64; JOINT_COUNT] {
        self.bounds.map_or([0.0; JOINT_COUNT], |(lower, upper)| {
            std::array::from_fn(|joint| (upper[joint] - lower[joint]).to_degrees())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_is_largest_minus_smallest() {
        let mut travel = Travel::default();
        assert_eq!(travel.range_deg(), [0.0; JOINT_COUNT]);
        for angle in [0.3, -0.1, 0.2] {
            travel.observe(&JointAngles::from_array_rad([angle, 0.0, 2.0 * angle, 0.0, 0.0, 1.0]));
        }
        let range = travel.range_deg();
        assert!(
            (range[0] - 0.4_f64.to_degrees()).abs() < 1e-9 && (range[2] - 0.8_f64.to_degrees()).abs() < 1e-9
        );
        assert_eq!(range[5], 0.0);
    }
}
