//! The firmware's own kinematics (firmware G1 `computePosbyJointRad`, `simpleLinkageIkRad`).
//!
//! Origin: the shoulder axis, not the table. x forward, y left, z up, millimetres. The point is the edge of the hand's tip,
//! 171.67 mm along and 13.69 mm below the wrist axis; the hand's opening and the roll do not move it. The vendor's URDF
//! differs from it by 2-3 mm.

use core::f64::consts::{FRAC_PI_2, PI};

use libm::{acos, atan2, cos, fabs, sin, sqrt};

use crate::FirmwareAngles;

const LINK_2A_MM: f64 = 236.82;
const LINK_2B_MM: f64 = 30.00;
const LINK_3_MM: f64 = 144.49;
const LINK_4A_MM: f64 = 171.67;
const LINK_4B_MM: f64 = 13.69;

/// Where the tool is with all joints at home, as the firmware adds it up: x, y, z, mm.
#[cfg(feature = "emulator")]
pub(crate) const HOME_MM: [f64; 3] = [LINK_2B_MM + LINK_3_MM + LINK_4A_MM, 0.0, LINK_2A_MM - LINK_4B_MM];

/// Where the firmware says the tool is: the `x`, `y`, `z`, `tit` of T:1051.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ToolPose {
    /// x, y, z of the tool's edge, mm.
    pub position_mm: [f64; 3],
    /// Pitch of the tool, rad: 0 level, positive down.
    pub pitch_rad: f64,
}

/// Length and offset angle of the bent upper arm and of the hand: (l2, t2, lE, tE).
fn links() -> (f64, f64, f64, f64) {
    (
        sqrt(LINK_2A_MM * LINK_2A_MM + LINK_2B_MM * LINK_2B_MM),
        atan2(LINK_2B_MM, LINK_2A_MM),
        sqrt(LINK_4A_MM * LINK_4A_MM + LINK_4B_MM * LINK_4B_MM),
        atan2(LINK_4B_MM, LINK_4A_MM),
    )
}

/// Forward kinematics as the board computes it for T:1051, in its order of operations: the last digits depend on it.
#[must_use]
pub fn forward(angles: FirmwareAngles) -> ToolPose {
    let (l2, t2, le, te) = links();
    let FirmwareAngles { base_rad, shoulder_rad, elbow_rad, wrist_rad, .. } = angles;
    let upper = FRAC_PI_2 - (shoulder_rad + t2);
    let fore = FRAC_PI_2 - (elbow_rad + shoulder_rad);
    let tool = FRAC_PI_2 - (elbow_rad + shoulder_rad + wrist_rad + te);
    let reach = l2 * cos(upper) + LINK_3_MM * cos(fore) + le * cos(tool);
    let height = l2 * sin(upper) + LINK_3_MM * sin(fore) + le * sin(tool);
    ToolPose {
        position_mm: [reach * cos(base_rad), reach * sin(base_rad), height],
        pitch_rad: elbow_rad + shoulder_rad + wrist_rad - FRAC_PI_2,
    }
}

/// Inverse kinematics on the firmware's one branch (tool in front of the base axis, elbow above [`elbow_fold_rad`]).
///
/// Returns base, shoulder, elbow, wrist in rad, or `None` where the firmware would compute NaN: the target is out of reach.
/// The firmware clamps joints afterwards without looking again; so the result here may lie outside [`crate::limits`].
#[must_use]
pub fn inverse(pose: ToolPose) -> Option<[f64; 4]> {
    let angles = inverse_or_nan(pose);
    angles.iter().all(|angle| angle.is_finite()).then_some(angles)
}

/// A wrist closer to the base axis than this is taken to stand on it, mm.
const ON_AXIS_MM: f64 = 1e-6;

/// As the firmware does it, in its order of operations: out of reach, the joints are NaN (base is not).
pub(crate) fn inverse_or_nan(pose: ToolPose) -> [f64; 4] {
    let (l2, t2, le, te) = links();
    let [x, y, z] = pose.position_mm;
    // From the tool's edge back to the wrist, along the base's direction and in height.
    let turned = te + (pose.pitch_rad - PI);
    let (back, up) = (-le * cos(turned), -le * sin(turned));
    let distance = sqrt(x * x + y * y);
    let (x, y) = if distance - back <= ON_AXIS_MM {
        (0.0, 0.0)
    } else {
        let ratio = (distance - back) / distance;
        (x * ratio, y * ratio)
    };
    let (reach, base, height) = (sqrt(x * x + y * y), atan2(y, x), z + up);
    // At the height of the shoulder the firmware leaves the height out.
    let (span2, span, rise) = if fabs(height) < 1e-6 {
        (reach * reach, reach, 0.0)
    } else {
        let span2 = reach * reach + height * height;
        (span2, sqrt(span2), atan2(height, reach))
    };
    let psi = acos((l2 * l2 + span2 - LINK_3_MM * LINK_3_MM) / (2.0 * l2 * span)) + t2;
    let shoulder = FRAC_PI_2 - rise - psi;
    let elbow = psi + acos((LINK_3_MM * LINK_3_MM + span2 - l2 * l2) / (2.0 * span * LINK_3_MM));
    let wrist = FRAC_PI_2 - shoulder - elbow + pose.pitch_rad;
    [base, shoulder, elbow, wrist]
}

/// The elbow angle at which upper arm and forearm are in line, rad: below it the firmware's branch does not invert.
#[must_use]
pub fn elbow_fold_rad() -> f64 {
    links().1
}

/// Whether [`inverse`] of [`forward`] gives the same joints back: tool and wrist in front of the base axis, elbow above
/// the fold. Decided from the joints alone.
#[must_use]
pub fn on_branch(angles: FirmwareAngles) -> bool {
    let (l2, t2, _, _) = links();
    let wrist_reach =
        l2 * sin(angles.shoulder_rad + t2) + LINK_3_MM * sin(angles.shoulder_rad + angles.elbow_rad);
    let pose = forward(FirmwareAngles { base_rad: 0.0, ..angles });
    pose.position_mm[0] > 0.0 && wrist_reach > 0.0 && angles.elbow_rad > t2 && angles.base_rad.abs() <= PI
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn near(angles: [f64; 4], expected_mm: [f64; 3]) {
        let [base_rad, shoulder_rad, elbow_rad, wrist_rad] = angles;
        let pose =
            forward(FirmwareAngles { base_rad, shoulder_rad, elbow_rad, wrist_rad, ..FirmwareAngles::HOME });
        for (computed, expected) in pose.position_mm.into_iter().zip(expected_mm) {
            assert!((computed - expected).abs() < 0.01, "{pose:?}");
        }
    }

    #[test]
    fn check_values_of_the_reference() {
        near([0.0, 0.0, FRAC_PI_2, 0.0], [346.16, 0.0, 223.13]);
        near([0.0, 0.0, 0.0, 0.0], [43.69, 0.0, 552.98]);
        near([0.0, -FRAC_PI_2, PI, 0.0], [79.34, 0.0, 16.31]);
        assert!(forward(FirmwareAngles::HOME).pitch_rad.abs() < 1e-12);
        assert!((forward(FirmwareAngles::default()).pitch_rad + FRAC_PI_2).abs() < 1e-12);
    }

    #[test]
    fn out_of_reach_has_no_answer() {
        assert_eq!(inverse(ToolPose { position_mm: [900.0, 0.0, 0.0], pitch_rad: 0.0 }), None);
        assert_eq!(inverse(ToolPose { position_mm: [f64::NAN, 0.0, 0.0], pitch_rad: 0.0 }), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        /// The inverse gives the joints back on the stated domain, and nowhere else.
        #[test]
        fn inverse_of_forward(
            base_rad in -3.1..3.1_f64, shoulder_rad in -1.57..1.57_f64, elbow_rad in -0.78..3.13_f64,
            wrist_rad in -1.57..1.57_f64,
        ) {
            let angles = FirmwareAngles { base_rad, shoulder_rad, elbow_rad, wrist_rad, ..FirmwareAngles::HOME };
            // At the fold itself acos loses half of its digits; one thousandth beside it it has them all.
            prop_assume!((elbow_rad - elbow_fold_rad()).abs() > 1e-3);
            let back = inverse(forward(angles));
            let same = back.is_some_and(|back| {
                back.into_iter().zip(angles.to_array()).all(|(back, angle)| (back - angle).abs() < 1e-5)
            });
            prop_assert_eq!(same, on_branch(angles), "{:?} -> {:?}", angles, back);
        }
    }
}
