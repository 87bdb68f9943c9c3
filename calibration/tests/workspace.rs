//! Table, reach and keep-out boxes on poses whose place is known from the joint table.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests fail as tests do

use calibration::collision::{
    ArmCapsules, Clearance, KeepOutBox, PoseRefused, ReachCylinder, ReachSphere, Rule, Table, Workspace,
};
use calibration::kinematics::Link;
use calibration::{DatasetAngles, JointAngles};
use nalgebra::{Point3, Vector3};

fn degrees(angles_deg: [f64; 6]) -> JointAngles {
    DatasetAngles::from_array_deg(angles_deg).into()
}

/// Home: the upper arm upright, forearm and hand level at 343.7 mm.
fn home() -> JointAngles {
    degrees([0.0, 0.0, 90.0, 0.0, 0.0, 0.0])
}

fn refused(workspace: &Workspace, angles: &JointAngles) -> Clearance {
    match workspace.check(&ArmCapsules::default(), angles) {
        Err(PoseRefused::TooNear(clearance)) => clearance,
        other => panic!("{other:?}"),
    }
}

fn accepted(workspace: &Workspace, angles: &JointAngles) {
    assert_eq!(workspace.check(&ArmCapsules::default(), angles), Ok(()));
}

#[test]
fn the_table_names_the_lowest_link_and_its_height() {
    let table = |height_m, clearance_m| Workspace {
        table: Some(Table { height_m, clearance_m }),
        ..Workspace::default()
    };
    // Straight down: the fixed jaw's tip lies 5 mm beyond the tool point and the round end 2.6 mm beyond the tip.
    let down = degrees([0.0, 31.1, 125.4, 23.5, 0.0, 30.0]);
    let tool = calibration::kinematics::ForwardKinematics::default().tool_pose(&down).position_m.z;
    let low = refused(&table(0.0, 0.02), &down);
    assert_eq!(low.rule, Rule::Table { link: Link::Link5 });
    assert!((low.distance_m - (tool - 0.1231 + 0.115_428)).abs() < 1e-6, "{low} with the tool at {tool}");
    accepted(&table(-0.05, 0.02), &down);
    accepted(&table(0.0, 0.02), &home());
    assert!(refused(&table(f64::NAN, 0.0), &home()).distance_m.is_nan(), "refused, not passed over");
}

#[test]
fn the_reach_is_kept_from_inside() {
    let cylinder = |radius_m, top_m| Workspace {
        reach_cylinder: Some(ReachCylinder { radius_m, top_m }),
        ..Workspace::default()
    };
    // Home's fixed jaw ends at 30 + 144.6 + 53.7 + 123.1 mm.
    let reach_m = 0.030_002 + 0.144_586 + 0.053_653 + 0.1231;
    accepted(&cylinder(reach_m + 2e-3, f64::INFINITY), &home());
    let out = refused(&cylinder(reach_m - 0.01, f64::INFINITY), &home());
    assert_eq!(out.rule, Rule::ReachCylinder { link: Link::Link5 });
    assert!((-0.011..-0.008).contains(&out.distance_m), "{out}");
    let top = refused(&cylinder(1.0, 0.38), &home());
    assert!(matches!(top.rule, Rule::ReachCylinder { link: Link::Link2 | Link::Link3 }), "{top}");
    assert!(refused(&cylinder(f64::NAN, 1.0), &home()).distance_m.is_nan());

    let sphere = |radius_m| Workspace {
        reach_sphere: Some(ReachSphere { centre_m: Point3::new(0.0, 0.0, 0.122_059), radius_m }),
        ..Workspace::default()
    };
    accepted(&sphere(0.6), &degrees([0.0, 80.0, 10.0, 0.0, 0.0, 0.0]));
    let out = refused(&sphere(0.5), &degrees([0.0, 80.0, 10.0, 0.0, 0.0, 0.0]));
    assert_eq!(out.rule, Rule::ReachSphere { link: Link::Link5 });
    assert!((-0.07..-0.03).contains(&out.distance_m), "{out}");
}

#[test]
fn the_nearest_box_is_named() {
    let area = |x, y| KeepOutBox {
        centre_m: Point3::new(x, y, 0.3),
        half_size_m: Vector3::new(0.05, 0.05, 0.3),
        yaw_rad: 0.0,
        clearance_m: 0.01,
    };
    let boxes = vec![area(-0.4, 0.0), area(0.3, 0.12), area(0.45, 0.0)];
    let workspace = Workspace { keep_out: boxes, ..Workspace::default() };
    accepted(&workspace, &home());
    // Turned left by 15° the fixed jaw goes into the second box.
    let into = refused(&workspace, &degrees([15.0, 0.0, 90.0, 0.0, 0.0, 0.0]));
    assert!(matches!(into.rule, Rule::KeepOut { link: Link::Link5 | Link::Gripper, index: 1 }), "{into}");
    assert!(into.to_string().contains("keep-out box 1: -"), "{into}");
    // Level and stretched the hand goes into the third.
    let into = refused(&workspace, &degrees([0.0, 40.0, 50.0, 0.0, 0.0, 0.0]));
    assert!(matches!(into.rule, Rule::KeepOut { index: 2, .. }), "{into}");
    // A turned box: its edge comes 20.7 mm nearer than its face was, 39 mm away.
    let mut turned = Workspace { keep_out: vec![area(0.44, 0.0)], ..Workspace::default() };
    turned.keep_out[0].clearance_m = 0.02;
    accepted(&turned, &home());
    turned.keep_out[0].yaw_rad = std::f64::consts::FRAC_PI_4;
    assert!(refused(&turned, &home()).distance_m < 0.02);
}

#[test]
fn an_arm_beyond_a_rule_may_only_leave() {
    let arm = ArmCapsules::default();
    let workspace =
        Workspace { table: Some(Table { height_m: 0.0, clearance_m: 0.03 }), ..Workspace::default() };
    // Straight down with the fingertips at the table.
    let room = |more_deg| {
        let placed = arm.place(&degrees([0.0, 31.1 + more_deg, 125.4, 23.5, 0.0, 30.0])).expect("finite");
        workspace.clearances(&placed)
    };
    let (lower, low, higher, free) = (room(1.0), room(0.0), room(-1.0), room(-20.0));
    assert!(low.check().is_err() && higher.check().is_err() && free.check().is_ok());
    assert_eq!(higher.check_leaving(&low), Ok(()));
    assert_eq!(free.check_leaving(&low), Ok(()));
    assert!(lower.check_leaving(&low).is_err(), "deeper");
    assert_eq!(low.check_leaving(&low), Ok(()), "no worse");
    assert_eq!(lower.check_leaving_within(&low, 0.01), Ok(()));
    assert!(lower.check_leaving_within(&low, 1e-6).is_err());
    assert!(lower.room_m() < low.room_m() && low.room_m() < 0.0 && free.room_m() > 0.0);
    assert!(low.check_leaving(&free).is_err(), "from outside in");
    assert_eq!(low.iter().count(), 2, "self-collision and table are in force");
}
