//! Whether the way to the start pose stays above the table, by the kinematics of all links.

use calibration::kinematics::{ForwardKinematics, Link};
use nalgebra::Point3;

use crate::types::JointAngles;

/// Poses looked at along a way.
const SAMPLES: u32 = 100;
/// Length of the moving jaw from its axis to its tip (the vendor's URDF: tip opening is this times the sine of the angle).
const JAW_LENGTH_M: f64 = 0.0634;

/// A way that would touch the table.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "the straight way to the start pose comes {:.0} mm near the table (allowed: {:.0} mm) at {:.0} % of the way: move the \
     arm by hand to a higher pose first, or choose another --start-pose",
    height_m * 1e3, clearance_m * 1e3, fraction * 100.0
)]
pub struct TableTouched {
    /// Lowest point found, above the table, metres.
    pub height_m: f64,
    /// What was asked for, metres.
    pub clearance_m: f64,
    /// Where on the way, 0 to 1.
    pub fraction: f64,
}

/// Height of the lowest joint axis, tool point or jaw tip above the table, metres; what lies before the elbow cannot reach it.
pub fn lowest_point_m(kinematics: &ForwardKinematics, angles: &JointAngles) -> f64 {
    let poses = kinematics.link_poses(angles);
    let origins = [Link::Link3, Link::Link4, Link::Link5].map(|link| poses.pose(link).translation.z);
    let jaw = poses.pose(Link::Gripper) * Point3::new(JAW_LENGTH_M, 0.0, 0.0);
    origins.into_iter().chain([poses.tool_point_m().z, jaw.z]).fold(f64::INFINITY, f64::min)
}

/// Checks the straight line in joint space. A pose that starts too low may leave, but not go lower.
pub fn check_way(from: &JointAngles, to: &JointAngles, clearance_m: f64) -> Result<(), TableTouched> {
    let kinematics = ForwardKinematics::default();
    let allowed_m = clearance_m.min(lowest_point_m(&kinematics, from) - 1e-3);
    for sample in 0..=SAMPLES {
        let fraction = f64::from(sample) / f64::from(SAMPLES);
        let height_m = lowest_point_m(&kinematics, &from.interpolate(to, fraction));
        if height_m < allowed_m {
            return Err(TableTouched { height_m, clearance_m, fraction });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::DatasetAngles;

    fn pose(angles_deg: [f64; 6]) -> JointAngles {
        DatasetAngles::from_array_deg(angles_deg).into()
    }

    const HOME: [f64; 6] = [0.0, 0.0, 90.0, 0.0, 0.0, 0.0];

    #[test]
    fn home_to_a_raised_pose_is_free() {
        assert_eq!(check_way(&pose(HOME), &pose([-2.0, 52.0, 10.0, 66.0, 3.0, 30.0]), 0.01), Ok(()));
    }

    #[test]
    fn a_pose_through_the_table_is_refused() {
        let hit = check_way(&pose(HOME), &pose([0.0, 80.0, 90.0, 0.0, 0.0, 0.0]), 0.01)
            .expect_err("it is below the table");
        assert!(hit.height_m < 0.01 && hit.fraction > 0.3, "{hit}");
        assert!(hit.to_string().contains("--start-pose"));
    }

    #[test]
    fn an_arm_that_lies_low_may_rise_but_not_sink() {
        let low = pose([0.0, 60.0, 80.0, 0.0, 0.0, 0.0]);
        assert!(lowest_point_m(&ForwardKinematics::default(), &low) < 0.1);
        assert_eq!(check_way(&low, &pose(HOME), 0.5), Ok(()));
        assert!(check_way(&low, &pose([0.0, 75.0, 80.0, 0.0, 0.0, 0.0]), 0.5).is_err());
    }
}
