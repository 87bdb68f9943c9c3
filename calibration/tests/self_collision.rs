//! Which poses the arm cannot take because it would go through itself.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests fail as tests do

use calibration::collision::{ArmCapsules, MEETING_LINKS, PoseRefused, Rule, Workspace};
use calibration::kinematics::Link;
use calibration::{DatasetAngles, Joint, JointAngles, JointLimits};
use firmware_protocol::Generation;
use proptest::prelude::*;

const COLLIDING_POSES: &str = include_str!("data/colliding_poses.csv");

/// Angles and what happens, one a line.
fn colliding_poses() -> Vec<(JointAngles, &'static str)> {
    let lines = COLLIDING_POSES.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines
        .map(|line| {
            let fields: Vec<_> = line.splitn(7, ',').collect();
            let degrees = std::array::from_fn(|joint| fields[joint].parse().expect("a number"));
            (DatasetAngles::from_array_deg(degrees).into(), fields[6])
        })
        .collect()
}

fn inside(fractions: [f64; 6]) -> JointAngles {
    let limits = JointLimits::of(Generation::G1);
    let mut angles = JointAngles::ZERO;
    for joint in Joint::ALL {
        let (min, max) = limits.range_rad(joint);
        angles.set(joint, min + fractions[joint.index()] * (max - min));
    }
    angles
}

#[test]
fn twenty_poses_through_itself_are_refused() {
    let (arm, workspace) = (ArmCapsules::default(), Workspace::default());
    let poses = colliding_poses();
    assert_eq!(poses.len(), 20);
    for (angles, what) in poses {
        assert!(JointLimits::of(Generation::G1).contains(&angles), "{what}: the board would go there");
        let refused = workspace.check(&arm, &angles).expect_err(what);
        let PoseRefused::TooNear(clearance) = refused else { panic!("{what}: {refused}") };
        assert!(matches!(clearance.rule, Rule::SelfCollision { .. }), "{what}: {refused}");
        assert!(clearance.distance_m < 0.0, "{what}: {refused}");
    }
}

#[test]
fn everyday_poses_are_accepted_with_a_margin() {
    let arm = ArmCapsules::default();
    let workspace = Workspace { self_margin_m: 0.02, ..Workspace::default() };
    for degrees in [
        [0.0, 0.0, 90.0, 0.0, 0.0, 0.0],         // home
        [0.0; 6],                                // upright
        [0.0, -75.0, 157.0, 0.0, 0.0, 20.0],     // parked: end of the bands that a user verified on an arm
        [-2.0, 52.0, 10.0, 66.0, 3.0, 30.0],     // mean of a user's dataset
        [-2.0, 90.0, -45.0, 90.0, 3.0, 60.0],    // its far end
        [-175.0, 60.0, 60.0, 60.0, 170.0, 90.0], // turned round
    ] {
        let angles = DatasetAngles::from_array_deg(degrees).into();
        assert_eq!(workspace.check(&arm, &angles), Ok(()), "{degrees:?}");
    }
}

#[test]
fn not_a_number_is_refused() {
    let (arm, home) = (ArmCapsules::default(), JointAngles::ZERO);
    for joint in Joint::ALL {
        for value in [f64::NAN, f64::INFINITY] {
            let mut angles = home;
            angles.set(joint, value);
            assert_eq!(Workspace::default().check(&arm, &angles), Err(PoseRefused::NotFinite));
        }
    }
    let workspace = Workspace { self_margin_m: f64::NAN, ..Workspace::default() };
    assert!(workspace.check(&arm, &home).is_err(), "a margin that is not a number refuses all");
}

#[test]
fn the_message_names_both_links_and_the_distance() {
    let workspace = Workspace { self_margin_m: 0.1, ..Workspace::default() };
    let curled = DatasetAngles::from_array_deg([0.0, 0.0, 140.0, 0.0, 0.0, 0.0]).into();
    let refused = workspace.check(&ArmCapsules::default(), &curled).expect_err("nearer than 100 mm");
    assert_eq!(refused.to_string(), "too near: upper arm and wrist: 75.6 mm (required: 100.0 mm)");
}

/// No pair is checked for nothing: each comes within 5 mm somewhere inside the limits.
#[test]
fn every_checked_pair_meets_somewhere() {
    let arm = ArmCapsules::default();
    let mut least_m = [f64::INFINITY; MEETING_LINKS.len()];
    for elbow in (90..=179).step_by(3) {
        for shoulder in (-90..=90).step_by(10) {
            for wrist in (-90..=90).step_by(15) {
                let angles_deg = [179.9, shoulder.into(), elbow.into(), wrist.into(), 0.0, 30.0];
                let placed = arm.place(&DatasetAngles::from_array_deg(angles_deg).into()).expect("finite");
                for (least_m, (first, second)) in least_m.iter_mut().zip(MEETING_LINKS) {
                    *least_m = least_m.min(placed.link_distance_m(first, second));
                }
            }
        }
    }
    for ((first, second), least_m) in MEETING_LINKS.into_iter().zip(least_m) {
        assert!(least_m < 0.005, "{first} and {second}: {least_m}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// The balls only skip what cannot be nearest.
    #[test]
    fn nearest_links_are_the_nearest_of_all_pairs(fractions in proptest::array::uniform6(0.0..=1.0_f64)) {
        let placed = ArmCapsules::default().place(&inside(fractions)).expect("finite");
        let (first, second, distance_m) = placed.nearest_links();
        prop_assert_eq!(placed.link_distance_m(first, second), distance_m);
        for (first, second) in MEETING_LINKS {
            prop_assert!(distance_m <= placed.link_distance_m(first, second));
        }
    }

    /// Pairs that are neither neighbours nor checked stay apart by the arm's own lengths.
    #[test]
    fn pairs_left_out_never_meet(fractions in proptest::array::uniform6(0.0..=1.0_f64), ends in proptest::array::uniform6(0..3_u8)) {
        // Half of the angles at the ends of their ranges: there the links come nearest.
        let fractions = std::array::from_fn(|joint| match ends[joint] { 0 => 0.0, 1 => 1.0, _ => fractions[joint] });
        let mut angles = inside(fractions);
        // The board would turn the jaw beyond closed; the fixed jaw does not let it.
        angles.set(Joint::Gripper, angles.get(Joint::Gripper).max(0.0));
        let placed = ArmCapsules::default().place(&angles).expect("finite");
        for (place, first) in Link::ALL.into_iter().enumerate() {
            for second in Link::ALL.into_iter().skip(place + 2) {
                if !MEETING_LINKS.contains(&(first, second)) {
                    let distance_m = placed.link_distance_m(first, second);
                    prop_assert!(distance_m > 0.0, "{first} and {second}: {distance_m} at {angles:?}");
                }
            }
        }
    }
}
