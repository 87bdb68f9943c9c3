//! Whether a straight way in joint space is free, before the first motion on it.

use calibration::collision::{ArmCapsules, Clearances, PoseRefused, Workspace};

use crate::types::JointAngles;

/// Along a way that starts or ends where a rule is broken, the rule may become worse by so much (metres): what a sagging arm needs to
/// be lifted off what it lies on.
const LEAVING_TOLERANCE_M: f64 = 1e-3;
/// Poses are judged so near to each other that no point of the arm travels further between two (metres).
const STEP_M: f64 = 2e-3;
/// The longest way inside the limits is about 10 m long for the farthest point.
const MOST_STEPS: f64 = 10_000.0;

/// A way on which the arm would come too near to something.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "the straight way {} is not free: after {:.0} % of it, {refused}. {}",
    if *resumes { "back to where the policy was" } else { "to the start pose" },
    fraction * 100.0,
    if *resumes {
        "Move the arm by hand nearer to where it was before, or start anew"
    } else {
        "Move the arm by hand to another pose first, choose another --start-pose, or correct the workspace under [safety]"
    }
)]
pub struct WayRefused {
    /// What comes too near to what.
    pub refused: PoseRefused,
    /// Where on the way, 0 to 1.
    pub fraction: f64,
    /// Whether the way leads back to where the policy was.
    pub resumes: bool,
}

/// Checks the straight line in joint space by all links. A way that starts where a rule is broken may leave, but not go deeper.
pub fn check_way(from: &JointAngles, to: &JointAngles, workspace: &Workspace) -> Result<(), WayRefused> {
    Way::new(from, to).check(workspace, false)
}

/// Checks the straight line in joint space back to where the policy was, which may be nearer to something than a way of the program's
/// own choice: a hand that grips is at the table. `gate` is what the policy's own motion is held to, and holds here everywhere;
/// of what `workspace` asks beyond it, the way must keep what either of its ends keeps.
pub fn check_way_back(
    from: &JointAngles,
    to: &JointAngles,
    workspace: &Workspace,
    gate: &Workspace,
) -> Result<(), WayRefused> {
    let way = Way::new(from, to);
    way.check(gate, true)?;
    way.check_either_end(workspace)
}

/// A straight line in joint space.
struct Way<'a> {
    from: &'a JointAngles,
    to: &'a JointAngles,
    arm: ArmCapsules,
}

impl<'a> Way<'a> {
    fn new(from: &'a JointAngles, to: &'a JointAngles) -> Self {
        Self { from, to, arm: ArmCapsules::default() }
    }

    fn clearances(&self, fraction: f64, workspace: &Workspace) -> Result<Clearances, PoseRefused> {
        let pose = self.from.interpolate(self.to, fraction);
        Ok(workspace.clearances(&self.arm.place(&pose)?))
    }

    /// Looks at all poses after the first one; `judge` is given a pose's clearances.
    fn check_with(
        &self,
        workspace: &Workspace,
        resumes: bool,
        judge: impl Fn(&Clearances) -> Result<(), PoseRefused>,
    ) -> Result<(), WayRefused> {
        let steps = (self.arm.travel_bound_m(self.from, self.to) / STEP_M).ceil().clamp(1.0, MOST_STEPS);
        let mut step = 0.0;
        while step < steps {
            step += 1.0;
            let fraction = step / steps;
            let judged = self.clearances(fraction, workspace).and_then(|now| judge(&now));
            judged.map_err(|refused| WayRefused { refused, fraction, resumes })?;
        }
        Ok(())
    }

    fn end(&self, fraction: f64, workspace: &Workspace, resumes: bool) -> Result<Clearances, WayRefused> {
        self.clearances(fraction, workspace).map_err(|refused| WayRefused { refused, fraction, resumes })
    }

    fn check(&self, workspace: &Workspace, resumes: bool) -> Result<(), WayRefused> {
        let start = self.end(0.0, workspace, resumes)?;
        self.check_with(workspace, resumes, |now| now.check_leaving_within(&start, LEAVING_TOLERANCE_M))
    }

    fn check_either_end(&self, workspace: &Workspace) -> Result<(), WayRefused> {
        let (start, end) = (self.end(0.0, workspace, true)?, self.end(1.0, workspace, true)?);
        self.check_with(workspace, true, |now| {
            let from_start = now.check_leaving_within(&start, LEAVING_TOLERANCE_M);
            from_start.or_else(|_| now.check_leaving_within(&end, LEAVING_TOLERANCE_M))
        })
    }
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

    /// A hand that grips something is nearer to the table than a way of the program's own choice may end.
    #[test]
    fn a_way_back_to_where_the_policy_was_is_judged_as_the_policy_itself() {
        let (planned, gate) = (above(0.01), above(0.0));
        let pose_at = |shoulder_deg: f64| pose([0.0, shoulder_deg, 90.0, 0.0, 0.0, 0.0]);
        let height_mm = |shoulder_deg: f64| {
            let placed = ArmCapsules::default().place(&pose_at(shoulder_deg)).expect("finite");
            gate.clearances(&placed).room_m() * 1e3
        };
        // The arm leans forward until its hand is between 0 and 10 mm above the table.
        let mut low_deg = 30.0;
        while height_mm(low_deg) > 9.0 {
            low_deg += 0.25;
        }
        assert!((1.0..10.0).contains(&height_mm(low_deg)), "{} mm", height_mm(low_deg));
        let (low, sagged, below) = (pose_at(low_deg), pose_at(low_deg + 0.4), pose_at(low_deg + 4.0));
        assert!(height_mm(low_deg + 4.0) < -1.0 && height_mm(low_deg + 0.4) > 0.0);
        for from in [&pose(HOME), &sagged, &low] {
            assert_eq!(check_way_back(from, &low, &planned, &gate), Ok(()));
        }
        assert!(check_way(&pose(HOME), &low, &planned).is_err(), "a start pose keeps its distance");
        let refused = check_way_back(&pose(HOME), &below, &planned, &gate).expect_err("into the table");
        let message = refused.to_string();
        assert!(
            message.contains("back to where the policy was") && !message.contains("--start-pose"),
            "{message}"
        );
    }

    #[test]
    fn a_way_back_keeps_what_either_of_its_ends_keeps() {
        let post = |clearance_m| {
            let mut workspace = above(0.0);
            workspace.keep_out.push(KeepOutBox {
                centre_m: Point3::new(0.6, 0.0, 0.2),
                half_size_m: Vector3::new(0.01, 0.01, 0.2),
                yaw_rad: 0.0,
                clearance_m,
            });
            workspace
        };
        let (planned, gate) = (post(0.6), post(0.0));
        let turned = |base_deg: f64| pose([base_deg, 0.0, 90.0, 0.0, 0.0, 0.0]);
        let back = |to_deg| check_way_back(&turned(60.0), &turned(to_deg), &planned, &gate);
        assert_eq!(back(50.0), Ok(()), "no nearer than its end");
        assert_eq!(back(70.0), Ok(()), "no nearer than its start");
        assert_eq!(
            check_way(&turned(60.0), &turned(-60.0), &gate),
            Ok(()),
            "it passes the post at a distance"
        );
        let passed = back(-60.0).expect_err("between its ends it comes nearer than at either");
        assert!(passed.resumes && passed.to_string().contains("keep-out box 0"), "{passed}");
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        let refused = check_way(&pose(HOME), &pose([f64::NAN; 6]), &above(0.0)).expect_err("not a pose");
        assert_eq!(refused.refused, PoseRefused::NotFinite);
        assert!(check_way(&pose([f64::NAN; 6]), &pose(HOME), &above(0.0)).is_err());
    }
}
