//! The firmware's kinematics: check values, and where its inverse is one.
#![allow(clippy::unwrap_used, missing_docs)]

use std::f64::consts::{FRAC_PI_2, PI};

use firmware_protocol::FirmwareAngles;
use firmware_protocol::kinematics::{ToolPose, elbow_fold_rad, forward, inverse, on_branch};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Lengths of the reference, mm and rad, written out: not those of the crate.
const L2: f64 = 238.7126;
const T2: f64 = 0.126_007_3;
const L3: f64 = 144.49;
const LE: f64 = 172.2150;
const TE: f64 = 0.079_577_6;

fn arm([base_rad, shoulder_rad, elbow_rad, wrist_rad]: [f64; 4]) -> FirmwareAngles {
    FirmwareAngles { base_rad, shoulder_rad, elbow_rad, wrist_rad, ..FirmwareAngles::HOME }
}

#[test]
fn check_values_hold_to_a_hundredth_of_a_millimetre() {
    for (angles, expected_mm, pitch_rad) in [
        ([0.0, 0.0, FRAC_PI_2, 0.0], [346.16, 0.0, 223.13], 0.0),
        ([0.0; 4], [43.69, 0.0, 552.98], -FRAC_PI_2),
        ([0.0, -FRAC_PI_2, PI, 0.0], [79.34, 0.0, 16.31], 0.0),
    ] {
        let pose = forward(arm(angles));
        for (computed, expected) in pose.position_mm.into_iter().zip(expected_mm) {
            assert!((computed - expected).abs() < 0.01, "{angles:?} -> {pose:?}");
        }
        assert!((pose.pitch_rad - pitch_rad).abs() < 1e-12);
    }
    assert!((elbow_fold_rad() - T2).abs() < 1e-6);
    // The dead bus: every servo at step 0.
    let dead = forward(arm([PI, -PI, -FRAC_PI_2, -PI]));
    assert!((dead.position_mm[0] - 57.18).abs() < 0.01 && (dead.position_mm[2] + 223.13).abs() < 0.01);
    assert!((dead.pitch_rad + 3.0 * PI).abs() < 1e-9);
}

/// The reference's domain, from its own constants: tool and wrist in front of the base axis, elbow above 0.126 rad.
fn in_domain([_, s, e, t]: [f64; 4]) -> [f64; 3] {
    let wrist_mm = L2 * (s + T2).sin() + L3 * (s + e).sin();
    let tool_mm = wrist_mm + LE * (s + e + t + TE).sin();
    [tool_mm, wrist_mm, e - T2]
}

/// On 40 000 random poses: inverse of forward is the identity if and only if the pose is in the domain.
#[test]
fn the_inverse_is_one_exactly_on_its_domain() {
    let (mut inside, mut outside, mut no_answer) = (0, 0, 0);
    let mut runner =
        TestRunner::new(Config { cases: 40_000, max_global_rejects: 4_000, ..Config::default() });
    let poses = (-3.14..3.14_f64, -1.57..1.57_f64, -0.785..3.14_f64, -1.57..1.57_f64);
    runner
        .run(&poses, |(base, shoulder, elbow, wrist)| {
            let angles = [base, shoulder, elbow, wrist];
            let margins = in_domain(angles);
            // On the border itself rounding decides, and acos loses half of its digits.
            prop_assume!(margins[0].abs() > 1e-2 && margins[1].abs() > 1e-2 && margins[2].abs() > 1e-3);
            let expected = margins.iter().all(|&margin| margin > 0.0);
            let back = inverse(forward(arm(angles)));
            let same = back.is_some_and(|back| {
                back.into_iter().zip(angles).all(|(back, angle)| (back - angle).abs() < 1e-6)
            });
            prop_assert_eq!(same, expected, "{:?} -> {:?}", angles, back);
            prop_assert_eq!(on_branch(arm(angles)), expected);
            Ok(())
        })
        .unwrap();
    // Both sides were visited, and outside there are answers that are wrong, not only refusals.
    let mut state = 7_u64;
    let mut random = |low: f64, high: f64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + (high - low) * (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    for _ in 0..10_000 {
        let angles = [random(-3.14, 3.14), random(-1.57, 1.57), random(-0.785, 3.14), random(-1.57, 1.57)];
        if in_domain(angles).iter().all(|&margin| margin > 0.0) {
            inside += 1;
            continue;
        }
        outside += 1;
        no_answer += usize::from(inverse(forward(arm(angles))).is_none());
    }
    assert!(inside > 3_000 && outside > 3_000 && no_answer < outside / 2, "{inside} {outside} {no_answer}");
}

#[test]
fn an_answer_outside_the_domain_still_reaches_the_same_wrist() {
    // Elbow below the fold: another pose with the same tool.
    let angles = [0.3, 1.0, -0.5, 0.4];
    let pose = forward(arm(angles));
    let other = inverse(pose).unwrap();
    let reached = forward(arm(other));
    let off: f64 =
        reached.position_mm.iter().zip(pose.position_mm).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    assert!(off < 1e-6 && (other[2] - angles[2]).abs() > 0.1, "{off} {other:?}");
}

#[test]
fn out_of_reach_has_no_answer() {
    for position_mm in [[900.0, 0.0, 0.0], [0.0, 700.0, 0.0], [f64::NAN, 0.0, 0.0]] {
        assert_eq!(inverse(ToolPose { position_mm, pitch_rad: 0.0 }), None);
    }
}
