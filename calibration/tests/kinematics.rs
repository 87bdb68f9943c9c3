//! Forward and inverse kinematics and the Jacobian against each other, the vendor's URDF and the firmware's own numbers.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests fail as tests do

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use calibration::kinematics::{ForwardKinematics, InverseKinematics, Link, ToolPose, Unreachable};
use calibration::{DatasetAngles, Joint, JointAngles, JointLimits};
use firmware_protocol::{FirmwareAngles, Generation};
use nalgebra::{Point3, Vector3};
use proptest::prelude::*;

const HOME_RAD: [f64; 6] = [0.0, 0.0, FRAC_PI_2, 0.0, 0.0, 0.0];

fn pose_of(angles_rad: [f64; 6]) -> ToolPose {
    ForwardKinematics::default().tool_pose(&JointAngles::from_array_rad(angles_rad))
}

fn solver(generation: Generation) -> InverseKinematics {
    InverseKinematics::new(JointLimits::of(generation))
}

/// Angles inside a generation's limits from six fractions of the ranges.
fn inside(limits: &JointLimits, fractions: [f64; 6]) -> JointAngles {
    let mut angles = JointAngles::ZERO;
    for joint in Joint::ALL {
        let (min, max) = limits.range_rad(joint);
        angles.set(joint, min + fractions[joint.index()] * (max - min));
    }
    angles
}

fn turn_between(first_rad: f64, second_rad: f64) -> f64 {
    let turn = (first_rad - second_rad).rem_euclid(TAU);
    turn.min(TAU - turn)
}

fn assert_same_pose(found: &ToolPose, wanted: &ToolPose, tolerance: f64) {
    let off_m = (found.position_m - wanted.position_m).norm();
    assert!(off_m < tolerance, "{off_m} m: {found:?} for {wanted:?}");
    assert!(turn_between(found.pitch_rad, wanted.pitch_rad) < tolerance, "{found:?} for {wanted:?}");
    assert!(turn_between(found.roll_rad, wanted.roll_rad) < tolerance, "{found:?} for {wanted:?}");
}

/// Reference firmware.md section 5: the URDF's tool at home, and the firmware's edge point, which lies 2 to 3 mm beside it.
#[test]
fn check_values_of_urdf_and_firmware() {
    let home = pose_of(HOME_RAD);
    assert!((home.position_m - Point3::new(0.343_67, 0.0, 0.343_73)).norm() < 1e-5, "{home:?}");
    let firmware_mm = [
        (HOME_RAD, [346.16, 0.0, 223.13], 0.0),
        ([0.0; 6], [43.69, 0.0, 552.98], -FRAC_PI_2),
        ([0.0, -FRAC_PI_2, PI, 0.0, 0.0, 0.0], [79.34, 0.0, 16.31], 0.0),
    ];
    let raise = Vector3::new(0.0, 0.0, 0.122_06);
    for (angles, point_mm, pitch_rad) in firmware_mm {
        let pose = pose_of(angles);
        let expected = Point3::from(Vector3::from(point_mm) * 1e-3 + raise);
        assert!((pose.position_m - expected).norm() < 4e-3, "{pose:?} for {expected}");
        assert!(turn_between(pose.pitch_rad, pitch_rad) < 1e-12, "{pose:?}");
        // The board goes to 0.09° before the elbow's 180°.
        let near = JointLimits::of(Generation::G1).clamp(&JointAngles::from_array_rad(angles));
        let pose = ForwardKinematics::default().tool_pose(&near);
        let found = solver(Generation::G1).solve(&pose, &near).expect("the pose is inside the limits");
        assert!(found.max_difference(&near) < 1e-7, "{found:?} for {near:?}");
    }
}

#[test]
fn home_from_far_away_is_the_elbow_up_branch() {
    let near = JointAngles::from_array_rad([0.3, 0.4, 1.0, 0.2, 0.0, 0.7]);
    let found = solver(Generation::G3).solve(&pose_of(HOME_RAD), &near).expect("home is reachable");
    assert!((found.get(Joint::Gripper) - 0.7).abs() < 1e-15, "the gripper is passed through");
    let expected = JointAngles::from_array_rad([0.0, 0.0, FRAC_PI_2, 0.0, 0.0, 0.7]);
    assert!(found.max_difference(&expected) < 1e-9, "{found:?}");
}

#[test]
fn out_of_reach_says_why_and_by_how_much() {
    let home = JointAngles::from_array_rad(HOME_RAD);
    let level = |x, z| ToolPose { position_m: Point3::new(x, 0.0, z), pitch_rad: 0.0, roll_rad: 0.0 };
    let g1 = solver(Generation::G1);
    // Level tool: its wrist lies 169.081 mm behind and 15.147 mm above; the shoulder stands 122.059 mm high and the arm is
    // 238.708 + 144.586 mm long.
    let stretched_m = 0.238_708 + 0.144_586 + 0.169_081;
    let height_m = 0.122_059 - 0.015_147;
    let far = g1.solve(&level(stretched_m + 0.05, height_m), &home);
    assert!(
        matches!(far, Err(Unreachable::TooFar { excess_m }) if (excess_m - 0.05).abs() < 2e-6),
        "{far:?}"
    );
    let message = far.expect_err("too far").to_string();
    assert!(message.contains("50.0 mm short"), "{message}");

    // With the base turned half round the wrist would stand 15.147 mm below instead of above: that is the lesser miss.
    let near = g1.solve(&level(0.169_081 + 0.05, height_m), &home);
    let expected_m = 0.238_708 - 0.144_586 - f64::hypot(0.05, 2.0 * 0.015_147);
    assert!(
        matches!(near, Err(Unreachable::TooNear { shortfall_m }) if (shortfall_m - expected_m).abs() < 2e-6),
        "{near:?} for {expected_m}"
    );
    assert!(near.expect_err("too near").to_string().contains("35.7 mm beyond"));

    // Elbow at −40°: G1 goes there, G3 stops at 0°, and its other branch needs the wrist at −120°.
    let low = JointAngles::from(DatasetAngles::from_array_deg([0.0, 60.0, -40.0, -60.0, 0.0, 0.0]));
    let target = ForwardKinematics::default().tool_pose(&low);
    assert!(g1.solve(&target, &low).expect("inside G1").max_difference(&low) < 1e-9);
    let refused = solver(Generation::G3).solve(&target, &low).expect_err("outside G3");
    let Unreachable::JointLimit(violation) = refused else { panic!("{refused:?}") };
    assert!(refused.to_string().starts_with("out of the joint limits at best: "), "{refused}");
    assert!(!(violation.min_rad..=violation.max_rad).contains(&violation.angle_rad), "{violation:?}");

    let broken = ToolPose { pitch_rad: f64::NAN, ..target };
    assert_eq!(g1.solve(&broken, &home), Err(Unreachable::NotFinite));
}

/// The point between the jaws, not the tool point, is brought to the box, and the jaw opens towards the bearing asked for.
#[test]
fn straight_down_puts_the_point_between_the_jaws() {
    let between = Vector3::new(0.015, 0.0, 0.108);
    let kinematics = ForwardKinematics::default();
    for (x, y, yaw_rad) in [(0.25, 0.0, -1.2), (0.2, 0.12, 0.4), (0.28, -0.1, 3.0), (-0.05, -0.22, -2.0)] {
        let point = Point3::new(x, y, 0.02);
        let target = ToolPose::straight_down(between, point, yaw_rad);
        let near = JointAngles::from_array_rad(HOME_RAD);
        let found = solver(Generation::G3).solve(&target, &near).expect("reachable");
        let poses = kinematics.link_poses(&found);
        let reached = poses.pose(Link::Link5) * Point3::from(between);
        assert!((reached - point).norm() < 1e-9, "{reached} for {point}");
        let opening = poses.pose(Link::Link5).rotation * Vector3::x();
        assert!(turn_between(opening.y.atan2(opening.x), yaw_rad) < 1e-9, "{opening}");
        let down = poses.pose(Link::Link5).rotation * Vector3::z();
        assert!((down - Vector3::new(0.0, 0.0, -1.0)).norm() < 1e-9, "{down}");
    }
}

fn any_generation() -> impl Strategy<Value = Generation> {
    proptest::sample::select(Generation::ALL.to_vec())
}

fn fractions() -> impl Strategy<Value = [f64; 6]> {
    proptest::array::uniform6(0.0..=1.0_f64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// IK ∘ FK is the identity when asked near the pose itself; every other branch is the same hand in the world.
    #[test]
    fn inverse_undoes_forward(generation in any_generation(), fractions in fractions()) {
        let solver = solver(generation);
        let kinematics = ForwardKinematics::default();
        let angles = inside(solver.limits(), fractions);
        let pose = kinematics.tool_pose(&angles);
        prop_assume!(pose.position_m.x.hypot(pose.position_m.y) > 1e-4);
        let found = solver.solve(&pose, &angles).expect("it is where the arm stands");
        prop_assert!(found.max_difference(&angles) < 1e-6, "{found:?} for {angles:?}");
        let hand = *kinematics.link_poses(&angles).pose(Link::Link5);
        for other in solver.solutions(&pose, &angles).expect("it is where the arm stands") {
            prop_assert!(solver.limits().contains(&other));
            assert_same_pose(&kinematics.tool_pose(&other), &pose, 1e-9);
            let same = kinematics.link_poses(&other).pose(Link::Link5).to_homogeneous() - hand.to_homogeneous();
            prop_assert!(same.norm() < 1e-8, "{other:?} is another hand than {angles:?}: {same}");
        }
    }

    /// From anywhere: the answer is the pose asked for, inside the limits, and no branch is nearer.
    #[test]
    fn solved_is_reached_inside_the_limits_by_the_nearest_branch(
        generation in any_generation(),
        position in (-0.6..0.6_f64, -0.6..0.6_f64, -0.3..0.7_f64),
        pitch_rad in -4.0..4.0_f64,
        roll_rad in -4.0..4.0_f64,
        near in fractions(),
    ) {
        let solver = solver(generation);
        let near = inside(solver.limits(), near);
        let target = ToolPose { position_m: Point3::from(Vector3::from([position.0, position.1, position.2])), pitch_rad, roll_rad };
        match solver.solve(&target, &near) {
            Ok(found) => {
                prop_assert!(solver.limits().contains(&found));
                assert_same_pose(&ForwardKinematics::default().tool_pose(&found), &target, 1e-8);
                let change = |angles: &JointAngles| -> f64 {
                    angles.to_array_rad().into_iter().zip(near.to_array_rad()).map(|(a, b)| (a - b).powi(2)).sum()
                };
                for other in solver.solutions(&target, &near).expect("one was found") {
                    prop_assert!(change(&found) <= change(&other));
                }
            }
            Err(Unreachable::JointLimit(violation)) => {
                prop_assert!(!(violation.min_rad..=violation.max_rad).contains(&violation.angle_rad));
                prop_assert_eq!(solver.solutions(&target, &near).expect("the arm is long enough").count(), 0);
            }
            Err(Unreachable::TooFar { excess_m }) => prop_assert!(excess_m > 0.0),
            Err(Unreachable::TooNear { shortfall_m }) => prop_assert!((0.0..=0.1).contains(&shortfall_m)),
            Err(Unreachable::NotFinite) => prop_assert!(false, "all of it is finite"),
        }
    }

    /// The board's own idea of the tool, over the whole space: 2 to 4 mm beside the URDF's, the same pitch.
    #[test]
    fn forward_agrees_with_the_firmware(fractions in fractions()) {
        let angles = inside(&JointLimits::of(Generation::G1), fractions);
        let board = firmware_protocol::kinematics::forward(FirmwareAngles::from(angles));
        let expected = Point3::from(Vector3::from(board.position_mm) * 1e-3 + Vector3::new(0.0, 0.0, 0.122_059));
        let poses = ForwardKinematics::default().link_poses(&angles);
        prop_assert!((poses.tool_point_m() - expected).norm() < 4.5e-3);
        let tool_axis = poses.pose(Link::Link5).rotation * Vector3::z();
        prop_assert!((tool_axis.z + board.pitch_rad.sin()).abs() < 1e-9);
    }

    /// Analytic against central differences.
    #[test]
    fn jacobian_is_the_derivative(generation in any_generation(), fractions in fractions()) {
        const STEP_RAD: f64 = 1e-6;
        let kinematics = ForwardKinematics::default();
        let angles = inside(&JointLimits::of(generation), fractions);
        let pose = kinematics.tool_pose(&angles);
        prop_assume!(pose.position_m.x.hypot(pose.position_m.y) > 1e-4);
        let jacobian = kinematics.jacobian(&angles);
        let poses = kinematics.link_poses(&angles);
        let elbow_point = poses.pose(Link::Link3) * Point3::new(0.01, -0.05, 0.02);
        let elbow = poses.point_jacobian(Link::Link3, &elbow_point);
        for joint in Joint::ALL {
            let moved = |step_rad: f64| {
                let mut moved = angles;
                moved.set(joint, angles.get(joint) + step_rad);
                moved
            };
            let (after, before) = (kinematics.tool_pose(&moved(STEP_RAD)), kinematics.tool_pose(&moved(-STEP_RAD)));
            let column = jacobian.column(joint.index());
            let position = (after.position_m - before.position_m) / (2.0 * STEP_RAD);
            prop_assert!((position - column.fixed_rows::<3>(0)).norm() < 1e-7, "{joint}: {position} {column}");
            let turned = |after: f64, before: f64| (after - before + PI).rem_euclid(TAU) - PI;
            for (row, after, before) in [(3, after.pitch_rad, before.pitch_rad), (4, after.roll_rad, before.roll_rad)] {
                let slope = turned(after, before) / (2.0 * STEP_RAD);
                prop_assert!((slope - column[row]).abs() < 1e-7, "{joint} row {row}: {slope} {column}");
            }
            let point = |step_rad: f64| kinematics.link_poses(&moved(step_rad)).pose(Link::Link3) * Point3::new(0.01, -0.05, 0.02);
            let slope = (point(STEP_RAD) - point(-STEP_RAD)) / (2.0 * STEP_RAD);
            prop_assert!((slope - elbow.column(joint.index())).norm() < 1e-7, "{joint}: {slope}");
        }
    }
}
