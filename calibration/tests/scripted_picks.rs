//! The poses of a scripted pick over the whole table area of the simulated cell: all of them are reachable and free.
//!
//! Boxes of 3 cm at 19 to 33 cm from the base axis and up to 35° to either side, turned by any angle. The hand points straight
//! down and its jaws close on two faces of the box; a box is square, so one of four bearings may be chosen.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests fail as tests do

use std::f64::consts::{FRAC_PI_2, PI};

use calibration::collision::{ArmCapsules, ReachCylinder, Table, Workspace};
use calibration::kinematics::{ForwardKinematics, InverseKinematics, Link, ToolPose, Unreachable};
use calibration::{DatasetAngles, Joint, JointAngles, JointLimits};
use firmware_protocol::Generation;
use nalgebra::{Point3, Vector3};

const HALF_BOX_M: f64 = 0.015;
/// The box's centre between the jaws, in the frame of the hand: half a box from the fixed jaw's face, 12.5 mm from its tip.
const BETWEEN_JAWS_M: Vector3<f64> = Vector3::new(HALF_BOX_M, 0.0, 0.108);
const OPEN_RAD: f64 = 0.95;
const CLOSED_RAD: f64 = 0.30;

/// The bearing among the four of a square box that needs the least roll and can be reached.
fn straight_down(
    solver: &InverseKinematics,
    near: &JointAngles,
    at_m: Point3<f64>,
    yaw_rad: f64,
) -> Result<JointAngles, Unreachable> {
    let mut refused = Unreachable::NotFinite;
    let mut best: Option<JointAngles> = None;
    for quarter in 0..4 {
        let opening_rad = yaw_rad + f64::from(quarter) * FRAC_PI_2;
        match solver.solve(&ToolPose::straight_down(BETWEEN_JAWS_M, at_m, opening_rad), near) {
            Ok(found)
                if best.is_none_or(|best| found.get(Joint::Roll).abs() < best.get(Joint::Roll).abs()) =>
            {
                best = Some(found)
            }
            Ok(_) => {}
            Err(error) => refused = error,
        }
    }
    best.ok_or(refused)
}

fn with_gripper(mut angles: JointAngles, gripper_rad: f64) -> JointAngles {
    angles.set(Joint::Gripper, gripper_rad);
    angles
}

#[test]
fn every_pose_of_the_scripted_picks_is_accepted() {
    let arm = ArmCapsules::default();
    let kinematics = ForwardKinematics::default();
    let solver = InverseKinematics::new(JointLimits::of(Generation::G3));
    let workspace = Workspace {
        self_margin_m: 0.03,
        table: Some(Table { height_m: 0.0, clearance_m: 0.0 }),
        reach_cylinder: Some(ReachCylinder { radius_m: 0.45, top_m: 0.50 }),
        ..Workspace::default()
    };
    let home = JointAngles::from(DatasetAngles::from_array_deg([0.0, 0.0, 90.0, 60.0, 0.0, 0.0]));
    let (mut poses, mut nearest_m) = (0, f64::INFINITY);
    for reach_mm in (190..=330).step_by(10) {
        for bearing_deg in (-35..=35).step_by(5) {
            for yaw_deg in (0..90).step_by(9) {
                let (reach_m, bearing_rad) =
                    (f64::from(reach_mm) * 1e-3, f64::from(bearing_deg).to_radians());
                let yaw_rad = f64::from(yaw_deg).to_radians();
                let over = |reach_m: f64, height_m| {
                    Point3::new(reach_m * bearing_rad.cos(), reach_m * bearing_rad.sin(), height_m)
                };
                let near = with_gripper(home, OPEN_RAD);
                let solve = |near: &JointAngles, at| {
                    straight_down(&solver, near, at, yaw_rad)
                        .unwrap_or_else(|error| panic!("{at} turned by {yaw_deg}°: {error}"))
                };
                // Straight down the hand reaches less far the higher it is: far out it approaches lower and lifts inwards.
                let above_m = if reach_m > 0.30 { 0.070 } else { 0.085 };
                let above = solve(&near, over(reach_m, above_m));
                let down = solve(&above, over(reach_m, HALF_BOX_M + 0.0005));
                let close = with_gripper(down, CLOSED_RAD);
                let raised = solve(&close, over(reach_m, above_m));
                let lift = solve(&raised, over(reach_m.min(0.24), 0.140));
                let between = kinematics.link_poses(&close).pose(Link::Link5) * Point3::from(BETWEEN_JAWS_M);
                assert!(
                    (between - over(reach_m, HALF_BOX_M + 0.0005)).norm() < 1e-9,
                    "the jaws are at the box"
                );
                for (from, to) in
                    [(near, above), (above, down), (down, close), (close, raised), (raised, lift)]
                {
                    for step in 0..=8 {
                        let angles = from.interpolate(&to, f64::from(step) / 8.0);
                        let clearances = workspace.clearances(&arm.place(&angles).expect("finite"));
                        assert_eq!(
                            clearances.check(),
                            Ok(()),
                            "{reach_mm} mm, {bearing_deg}°, yaw {yaw_deg}°: {angles:?}"
                        );
                        nearest_m =
                            clearances.iter().next().map_or(nearest_m, |own| nearest_m.min(own.distance_m));
                        poses += 1;
                    }
                }
            }
        }
    }
    assert_eq!(poses, 15 * 15 * 10 * 5 * 9);
    assert!(nearest_m > 0.05, "the picks stay far from the arm itself: {nearest_m}");
}

/// A finger below the table or a hand that leans into it is refused: the acceptance above is not for want of looking.
#[test]
fn the_same_picks_below_the_table_are_refused() {
    let arm = ArmCapsules::default();
    let solver = InverseKinematics::new(JointLimits::of(Generation::G3));
    let workspace =
        Workspace { table: Some(Table { height_m: 0.0, clearance_m: 0.0 }), ..Workspace::default() };
    let home = JointAngles::from(DatasetAngles::from_array_deg([0.0, 0.0, 90.0, 60.0, 0.0, 50.0]));
    for yaw in 0..8 {
        let yaw_rad = f64::from(yaw) * PI / 16.0;
        let low = straight_down(&solver, &home, Point3::new(0.25, 0.05, 0.010), yaw_rad)
            .expect("the arm would reach it");
        let refused = workspace.check(&arm, &low).expect_err("2.5 mm below the table");
        assert!(refused.to_string().starts_with("too near: hand above the table: -"), "{refused}");
    }
}
