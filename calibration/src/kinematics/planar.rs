//! The arm in its vertical plane: shoulder, elbow and wrist turn about parallel axes, a chain of three rigid pieces.
//!
//! Lengths come from the vendor's joint table alone. Angles are counted from the vertical, positive forward and down, as the
//! joints are; coordinates are (forward, up) from the shoulder's axis, metres.

use std::f64::consts::{PI, TAU};

use super::{BASE_HEIGHT_M, JOINT_ORIGINS, TOOL_IN_LINK5_M};

/// The chain from the shoulder's axis to the tool centre point.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlanarChain {
    /// Shoulder's axis above the table, metres.
    pub(super) shoulder_height_m: f64,
    /// Shoulder's axis to the elbow's, metres.
    upper_m: f64,
    /// Angle of that line before the upper arm's x axis, radians: the elbow stands 30 mm in front.
    upper_offset_rad: f64,
    /// Elbow's axis to the wrist's, metres.
    fore_m: f64,
    /// Wrist's axis to the tool centre point, metres.
    tool_m: f64,
    /// Angle of that line before the tool's axis, radians.
    tool_offset_rad: f64,
}

/// Shoulder, elbow and wrist, radians, not yet wrapped into their ranges.
pub(super) type PlanarAngles = [f64; 3];

/// How far the wrist would have to be from where it can be, metres.
#[derive(Clone, Copy, Debug)]
pub(super) enum PlanarMiss {
    /// Beyond the stretched arm.
    TooFar(f64),
    /// Inside the folded arm.
    TooNear(f64),
}

/// Rounding that still counts as the fully stretched or folded arm, metres.
const STRETCH_TOLERANCE_M: f64 = 1e-9;

impl Default for PlanarChain {
    fn default() -> Self {
        let [_, (shoulder, _), (elbow, _), (wrist, _), (roll, _), _] = JOINT_ORIGINS;
        let tool_along_m = TOOL_IN_LINK5_M[2] - roll[1];
        Self {
            shoulder_height_m: BASE_HEIGHT_M + shoulder[2],
            upper_m: elbow[0].hypot(elbow[1]),
            upper_offset_rad: elbow[1].atan2(elbow[0]),
            fore_m: wrist[1].abs(),
            tool_m: tool_along_m.hypot(roll[0]),
            tool_offset_rad: roll[0].atan2(tool_along_m),
        }
    }
}

impl PlanarChain {
    /// Both elbow branches for a tool at (`forward_m`, `up_m`) whose axis stands at `tool_rad` from the vertical.
    pub(super) fn solve(
        &self,
        forward_m: f64,
        up_m: f64,
        tool_rad: f64,
    ) -> Result<[PlanarAngles; 2], PlanarMiss> {
        let to_tool_rad = tool_rad + self.tool_offset_rad;
        let wrist_forward_m = forward_m - self.tool_m * to_tool_rad.sin();
        let wrist_up_m = up_m - self.tool_m * to_tool_rad.cos();
        let span_m = wrist_forward_m.hypot(wrist_up_m);
        if span_m > self.upper_m + self.fore_m + STRETCH_TOLERANCE_M {
            return Err(PlanarMiss::TooFar(span_m - self.upper_m - self.fore_m));
        }
        if span_m < (self.upper_m - self.fore_m) - STRETCH_TOLERANCE_M {
            return Err(PlanarMiss::TooNear(self.upper_m - self.fore_m - span_m));
        }
        let cosine = (span_m * span_m - self.upper_m * self.upper_m - self.fore_m * self.fore_m)
            / (2.0 * self.upper_m * self.fore_m);
        let bend_rad = cosine.clamp(-1.0, 1.0).acos();
        let to_wrist_rad = wrist_forward_m.atan2(wrist_up_m);
        Ok([bend_rad, -bend_rad].map(|bend_rad| {
            let inner_rad = (self.fore_m * bend_rad.sin()).atan2(self.upper_m + self.fore_m * bend_rad.cos());
            let shoulder = to_wrist_rad - inner_rad - self.upper_offset_rad;
            let elbow = bend_rad + self.upper_offset_rad;
            [shoulder, elbow, tool_rad - shoulder - elbow]
        }))
    }
}

/// The same direction in (−π, π], radians.
pub(super) fn wrapped(angle_rad: f64) -> f64 {
    let turned = angle_rad.rem_euclid(TAU);
    if turned > PI { turned - TAU } else { turned }
}
