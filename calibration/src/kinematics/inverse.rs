//! Inverse kinematics in closed form.
//!
//! The roll's axis passes through the tool centre point, so the base is a bearing and shoulder, elbow and wrist a planar chain
//! of three pieces. Four branches exist: the base towards the tool or away from it (the arm bent backwards over itself), each
//! with the elbow to either side. No numerical refinement is needed: the result is exact to rounding, also at full stretch.
//!
//! The firmware's own inverse (T:104, T:1041) knows one branch, clamps afterwards without looking again and turns an
//! unreachable goal into NaN; it is never used.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use super::ToolPose;
use super::planar::{PlanarChain, PlanarMiss, wrapped};
use crate::{JOINT_COUNT, Joint, JointAngles, JointLimits, LimitViolation};

/// Why no joint angles bring the tool to a pose.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Unreachable {
    /// A coordinate, the pitch or the roll is NaN or infinite.
    #[error("the wanted tool pose has a coordinate that is not a finite number")]
    NotFinite,
    /// The wrist would have to be beyond the stretched arm.
    #[error(
        "too far: with this pitch the stretched arm ends {:.1} mm short; move the target towards the shoulder or turn the pitch \
         towards it",
        excess_m * 1e3
    )]
    TooFar {
        /// By how much, metres.
        excess_m: f64,
    },
    /// The wrist would have to be nearer to the shoulder's axis than the folded arm.
    #[error(
        "too near: with this pitch the folded arm reaches {:.1} mm beyond the wrist's place; move the target away from the \
         shoulder",
        shortfall_m * 1e3
    )]
    TooNear {
        /// By how much, metres.
        shortfall_m: f64,
    },
    /// The arm is long enough, but every branch needs a joint outside its limits; this is the least of it.
    #[error("out of the joint limits at best: {0}")]
    JointLimit(LimitViolation),
}

/// Joint angles for tool poses, within the limits of one firmware generation.
#[derive(Clone, Debug)]
pub struct InverseKinematics {
    chain: PlanarChain,
    limits: JointLimits,
}

/// A tool nearer to the base axis than this has no bearing, metres.
const BEARING_TOLERANCE_M: f64 = 1e-9;
/// Rounding that still counts as on a joint's limit, radians.
const LIMIT_TOLERANCE_RAD: f64 = 1e-9;

impl InverseKinematics {
    /// Solver for a board with these limits.
    pub fn new(limits: JointLimits) -> Self {
        Self { chain: PlanarChain::default(), limits }
    }

    /// The limits it keeps.
    pub const fn limits(&self) -> &JointLimits {
        &self.limits
    }

    /// The joint angles inside the limits that bring the tool to `target`, of all branches those nearest to `near` (least sum of
    /// squared joint changes). The gripper is passed through from `near`, brought into its limits.
    ///
    /// A tool on the base axis itself has no bearing: then pitch and roll are taken as seen with the base of `near`.
    pub fn solve(&self, target: &ToolPose, near: &JointAngles) -> Result<JointAngles, Unreachable> {
        let branches = self.branches(target, near)?;
        let inside = branches.into_iter().flatten().filter_map(|branch| self.settled(&branch));
        let nearest = inside.min_by(|first, second| change(first, near).total_cmp(&change(second, near)));
        nearest.ok_or_else(|| self.least_violation(&branches))
    }

    /// All branches inside the limits, at most four, the towards-the-tool ones first.
    pub fn solutions(
        &self,
        target: &ToolPose,
        near: &JointAngles,
    ) -> Result<impl Iterator<Item = JointAngles>, Unreachable> {
        let branches = self.branches(target, near)?;
        Ok(branches.into_iter().flatten().filter_map(|branch| self.settled(&branch)))
    }

    /// Every branch the lengths allow, limits aside, each angle turned into its range or as near to it as it comes.
    fn branches(
        &self,
        target: &ToolPose,
        near: &JointAngles,
    ) -> Result<[Option<JointAngles>; 4], Unreachable> {
        let ToolPose { position_m, pitch_rad, roll_rad } = *target;
        let finite = position_m.iter().all(|value| value.is_finite());
        if !(finite && pitch_rad.is_finite() && roll_rad.is_finite() && near.is_finite()) {
            return Err(Unreachable::NotFinite);
        }
        let reach_m = position_m.x.hypot(position_m.y);
        let bearing_rad = if reach_m > BEARING_TOLERANCE_M {
            position_m.y.atan2(position_m.x)
        } else {
            near.get(Joint::Base)
        };
        let up_m = position_m.z - self.chain.shoulder_height_m;
        let (behind_pitch_rad, behind_roll_rad) = ToolPose::seen_from_behind(pitch_rad, roll_rad);
        let sides = [
            (reach_m, bearing_rad, pitch_rad, roll_rad),
            (-reach_m, bearing_rad + PI, behind_pitch_rad, behind_roll_rad),
        ];
        let mut branches = [None; 4];
        let mut missed: Option<PlanarMiss> = None;
        for (side, (forward_m, base, pitch, roll)) in sides.into_iter().enumerate() {
            match self.chain.solve(forward_m, up_m, pitch + FRAC_PI_2) {
                Ok(elbows) => {
                    for (elbow_side, [shoulder, elbow, wrist]) in elbows.into_iter().enumerate() {
                        let gripper = near.get(Joint::Gripper);
                        let angles = [base, shoulder, elbow, wrist, roll, gripper];
                        branches[2 * side + elbow_side] = Some(self.turned_into_range(angles, near));
                    }
                }
                Err(miss) => {
                    missed = Some(missed.map_or(miss, |other| lesser(other, miss)));
                }
            }
        }
        match missed {
            Some(miss) if branches.iter().all(Option::is_none) => Err(match miss {
                PlanarMiss::TooFar(excess_m) => Unreachable::TooFar { excess_m },
                PlanarMiss::TooNear(shortfall_m) => Unreachable::TooNear { shortfall_m },
            }),
            _ => Ok(branches),
        }
    }

    /// Adds whole turns so that each angle lies inside its range, nearest to `near`; where none does, nearest to the range.
    /// The gripper does not turn round: it is clamped.
    fn turned_into_range(&self, angles_rad: [f64; JOINT_COUNT], near: &JointAngles) -> JointAngles {
        let mut turned = JointAngles::from_array_rad(angles_rad);
        for joint in Joint::ALL {
            let (min_rad, max_rad) = self.limits.range_rad(joint);
            let angle_rad = turned.get(joint);
            if joint == Joint::Gripper {
                turned.set(joint, angle_rad.clamp(min_rad, max_rad));
                continue;
            }
            let middle_turn = wrapped(angle_rad);
            let cost = |angle_rad: f64| {
                let outside = (min_rad - angle_rad).max(angle_rad - max_rad).max(0.0);
                // Any amount outside the range weighs more than any distance inside it.
                let outside = if outside > LIMIT_TOLERANCE_RAD { 1e3 * (1.0 + outside) } else { 0.0 };
                outside + (angle_rad - near.get(joint)).abs()
            };
            let best = [middle_turn - TAU, middle_turn, middle_turn + TAU]
                .into_iter()
                .fold(middle_turn, |best, other| if cost(other) < cost(best) { other } else { best });
            turned.set(joint, best);
        }
        turned
    }

    /// The branch with what stands outside by no more than rounding set onto the limit; none if more stands outside.
    fn settled(&self, branch: &JointAngles) -> Option<JointAngles> {
        let clamped = self.limits.clamp(branch);
        (clamped.max_difference(branch) <= LIMIT_TOLERANCE_RAD).then_some(clamped)
    }

    /// Of all branches the one least outside, and its worst joint.
    fn least_violation(&self, branches: &[Option<JointAngles>; 4]) -> Unreachable {
        let excess = |violation: &LimitViolation| {
            (violation.min_rad - violation.angle_rad).max(violation.angle_rad - violation.max_rad)
        };
        branches
            .iter()
            .flatten()
            .filter_map(|branch| {
                self.limits.violations(branch).max_by(|a, b| excess(a).total_cmp(&excess(b)))
            })
            .min_by(|a, b| excess(a).total_cmp(&excess(b)))
            // Finite lengths and angles give finite branches, so there is always one to name.
            .map_or(Unreachable::NotFinite, Unreachable::JointLimit)
    }
}

/// Sum of squared joint changes, rad².
fn change(angles: &JointAngles, near: &JointAngles) -> f64 {
    angles.to_array_rad().into_iter().zip(near.to_array_rad()).map(|(a, b)| (a - b) * (a - b)).sum()
}

fn lesser(first: PlanarMiss, second: PlanarMiss) -> PlanarMiss {
    let amount = |miss| match miss {
        PlanarMiss::TooFar(amount_m) | PlanarMiss::TooNear(amount_m) => amount_m,
    };
    if amount(second) < amount(first) { second } else { first }
}
