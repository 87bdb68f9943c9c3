//! How far the arm's points move when its joints do.

use super::ArmCapsules;
use super::arm_capsules::{ARM_CAPSULES, FIRST_OF_LINK};
use crate::kinematics::JOINT_ORIGINS;
use crate::{JOINT_COUNT, JointAngles};

impl ArmCapsules {
    /// Bound on how far any point of the arm travels along the straight line in joint space between two poses, metres; NaN where
    /// an angle is.
    ///
    /// A joint that turns by an angle moves no point further than the angle times the point's distance from the axis. So what
    /// keeps more room than this at one end, or half of it at both, keeps some all along.
    pub fn travel_bound_m(&self, from: &JointAngles, to: &JointAngles) -> f64 {
        let (from, to) = (from.to_array_rad(), to.to_array_rad());
        (0..JOINT_COUNT).map(|joint| (to[joint] - from[joint]).abs() * self.reaches_m[joint]).sum()
    }
}

/// Distance of the farthest point that each joint moves, in any pose, from the joint's axis, metres.
pub(super) fn reaches_m() -> [f64; JOINT_COUNT] {
    let mut reaches_m = [0.0; JOINT_COUNT];
    // Radius of a ball about the next joint's origin that holds everything behind it.
    let mut behind_m = 0.0_f64;
    for joint in (0..JOINT_COUNT).rev() {
        let link = joint + 1;
        let ends =
            ARM_CAPSULES[FIRST_OF_LINK[link]..FIRST_OF_LINK[link + 1]].iter().flat_map(|(_, capsule)| {
                [(capsule.start_m, capsule.radius_m), (capsule.end_m, capsule.radius_m)]
            });
        let (mut from_axis_m, mut from_origin_m) = (0.0_f64, 0.0_f64);
        for (end_m, radius_m) in ends {
            from_axis_m = from_axis_m.max(end_m.x.hypot(end_m.y) + radius_m);
            from_origin_m = from_origin_m.max(end_m.coords.norm() + radius_m);
        }
        if let Some((next, _)) = JOINT_ORIGINS.get(link) {
            let [x, y, z] = *next;
            from_axis_m = from_axis_m.max(x.hypot(y) + behind_m);
            from_origin_m = from_origin_m.max(x.hypot(y).hypot(z) + behind_m);
        }
        reaches_m[joint] = from_axis_m;
        behind_m = from_origin_m;
    }
    reaches_m
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kinematics::Link;

    #[test]
    fn reaches_are_those_of_the_arm() {
        let [base, shoulder, elbow, wrist, roll, gripper] = reaches_m();
        // Upper arm 238.7 mm, forearm 144.6 mm, wrist 55.8 mm, hand 123.1 mm with its round end.
        assert!((base - 0.563).abs() < 0.005 && (shoulder - base).abs() < 0.005, "{base} {shoulder}");
        assert!((elbow - 0.324).abs() < 0.005 && (wrist - 0.180).abs() < 0.005, "{elbow} {wrist}");
        assert!(roll < 0.1 && (gripper - 0.068).abs() < 0.002, "{roll} {gripper}");
        assert!(
            ArmCapsules::default()
                .travel_bound_m(&JointAngles::ZERO, &JointAngles::from_array_rad([f64::NAN; 6]))
                .is_nan()
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]
        #[test]
        fn no_point_travels_further_than_the_bound(
            from in proptest::array::uniform6(-3.0..3.0_f64), change in proptest::array::uniform6(-0.3..0.3_f64), only in 0..12_usize,
        ) {
            let arm = ArmCapsules::default();
            // Half of the time one joint alone, where the bound is tight.
            let change: [f64; 6] = std::array::from_fn(|joint| if only < 6 && joint != only { 0.0 } else { change[joint] });
            let to = JointAngles::from_array_rad(std::array::from_fn(|joint| from[joint] + change[joint]));
            let from = JointAngles::from_array_rad(from);
            let bound_m = arm.travel_bound_m(&from, &to);
            let (before, after) = (arm.place(&from).expect("finite"), arm.place(&to).expect("finite"));
            for link in Link::ALL {
                for (one, other) in before.of(link).iter().zip(after.of(link)) {
                    let moved_m = (other.start_m - one.start_m).norm().max((other.end_m - one.end_m).norm());
                    prop_assert!(moved_m <= bound_m + 1e-12, "{link}: {moved_m} > {bound_m}");
                }
            }
        }
    }
}
