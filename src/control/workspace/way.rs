//! Whether a straight way in joint space is free, before the first motion on it.

use calibration::collision::{ArmCapsules, PoseRefused, Workspace};

use crate::types::JointAngles;

/// Along a way that starts where a rule is broken, the rule may become worse by so much (metres): what a sagging arm needs to be
/// lifted off what it lies on.
const LEAVING_TOLERANCE_M: f64 = 1e-3;
/// Poses are judged so near to each other that no point of the arm travels further between two (metres).
const STEP_M: f64 = 2e-3;
/// The longest way inside the limits is about 10 m long for the farthest point.
const MOST_STEPS: f64 = 10_000.0;

/// A way on which the arm would come too near to something.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "the straight way to the start pose is not free: after {:.0} % of it, {refused}. Move the arm by hand to another pose \
     first, choose another --start-pose, or correct the workspace under [safety]",
    fraction * 100.0
)]
pub struct WayRefused {
    /// What comes too near to what.
    pub refused: PoseRefused,
    /// Where on the way, 0 to 1.
    pub fraction: f64,
}

/// Checks the straight line in joint space by all links. A way that starts where a rule is broken may leave, but not go deeper.
pub fn check_way(from: &JointAngles, to: &JointAngles, workspace: &Workspace) -> Result<(), WayRefused> {
    let arm = ArmCapsules::default();
    let clearances = |fraction: f64| {
        arm.place(&from.interpolate(to, fraction)).map(|placed| workspace.clearances(&placed))
    };
    let refused = |fraction| move |refused| WayRefused { refused, fraction };
    let start = clearances(0.0).map_err(refused(0.0))?;
    let steps = (arm.travel_bound_m(from, to) / STEP_M).ceil().clamp(1.0, MOST_STEPS);
    let mut step = 0.0;
    while step < steps {
        step += 1.0;
        let fraction = step / steps;
        let now = clearances(fraction).map_err(refused(fraction))?;
        now.check_leaving_within(&start, LEAVING_TOLERANCE_M).map_err(refused(fraction))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use calibration::collision::{KeepOutBox, Table};
    use nalgebra::{Point3, Vector3};

    use super::*;
    use crate::types::DatasetAngles;

    fn pose(angles_deg: [f64; 6]) -> JointAngles {
        DatasetAngles::from_array_deg(angles_deg).into()
    }

    fn above(clearance_m: f64) -> Workspace {
        Workspace {
            self_margin_m: 0.005,
            table: Some(Table { height_m: 0.0, clearance_m }),
            ..Workspace::default()
        }
    }

    const HOME: [f64; 6] = [0.0, 0.0, 90.0, 0.0, 0.0, 0.0];

    #[test]
    fn home_to_a_raised_pose_is_free() {
        assert_eq!(check_way(&pose(HOME), &pose([-2.0, 52.0, 10.0, 66.0, 3.0, 30.0]), &above(0.01)), Ok(()));
        assert_eq!(check_way(&pose(HOME), &pose(HOME), &above(0.01)), Ok(()), "no way at all");
    }

    #[test]
    fn a_way_through_the_table_is_refused_and_says_which_link() {
        let hit = check_way(&pose(HOME), &pose([0.0, 80.0, 90.0, 0.0, 0.0, 0.0]), &above(0.01))
            .expect_err("it ends below the table");
        assert!(hit.fraction > 0.3 && hit.fraction < 1.0, "{hit}");
        let message = hit.to_string();
        assert!(message.contains("hand above the table") && message.contains("--start-pose"), "{message}");
    }

    #[test]
    fn a_way_through_the_arm_itself_or_a_box_is_refused() {
        let folded = check_way(&pose(HOME), &pose([0.0, -90.0, 179.0, 0.0, 0.0, 0.0]), &above(0.0))
            .expect_err("the hand goes through the shoulder");
        assert!(folded.to_string().contains("shoulder yoke and"), "{folded}");
        // Both ends are free; a post stands between them.
        let mut post = above(0.0);
        post.keep_out.push(KeepOutBox {
            centre_m: Point3::new(0.3, 0.0, 0.2),
            half_size_m: Vector3::new(0.01, 0.01, 0.2),
            yaw_rad: 0.0,
            clearance_m: 0.0,
        });
        let (left, right) = ([60.0, 0.0, 90.0, 0.0, 0.0, 0.0], [-60.0, 0.0, 90.0, 0.0, 0.0, 0.0]);
        assert_eq!(check_way(&pose(left), &pose(right), &above(0.0)), Ok(()));
        let hit = check_way(&pose(left), &pose(right), &post).expect_err("the hand sweeps through the post");
        assert!(hit.to_string().contains("keep-out box 0") && (0.3..0.7).contains(&hit.fraction), "{hit}");
    }

    #[test]
    fn an_arm_that_lies_low_may_rise_but_not_sink() {
        let low = pose([0.0, 60.0, 80.0, 0.0, 0.0, 0.0]);
        assert_eq!(check_way(&low, &pose(HOME), &above(0.3)), Ok(()));
        assert!(check_way(&low, &pose([0.0, 75.0, 80.0, 0.0, 0.0, 0.0]), &above(0.3)).is_err());
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        let refused = check_way(&pose(HOME), &pose([f64::NAN; 6]), &above(0.0)).expect_err("not a pose");
        assert_eq!(refused.refused, PoseRefused::NotFinite);
        assert!(check_way(&pose([f64::NAN; 6]), &pose(HOME), &above(0.0)).is_err());
    }
}
