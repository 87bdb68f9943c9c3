//! How far the arm hangs below its goals.

use std::time::Duration;

use crate::types::{FeedbackSample, JOINT_COUNT, Joint, JointAngles, Timestamp};

/// Goals must have been at rest for so long before the difference to the measured pose is taken for sag.
const REST_BEFORE: Duration = Duration::from_millis(300);

/// Goal minus measured pose of an arm at rest: its servos have no integral term, so a load pulls them off their goals (about 3° at
/// the shoulder of a delivered arm).
///
/// A goal at the measured pose would let the arm sink by as much again, each time. So whatever is held after the goal is lost (a
/// collision, a reset of the board) is the measured pose plus this.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sag {
    difference_rad: [f64; JOINT_COUNT],
}

impl Sag {
    /// Takes a pose that was measured while goals rested at `goal` since `rests_since`. What exceeds the lead limit is no sag
    /// but a joint that does not follow.
    pub(super) fn observe(
        &mut self,
        goal: &JointAngles,
        rests_since: Timestamp,
        sample: &FeedbackSample,
        limit_rad: &[f64; JOINT_COUNT],
    ) {
        if sample.measured < rests_since || sample.measured.since(rests_since) < REST_BEFORE {
            return;
        }
        let (goal, measured) = (goal.to_array_rad(), sample.angles.to_array_rad());
        for joint in 0..JOINT_COUNT {
            let difference = goal[joint] - measured[joint];
            if difference.abs() <= limit_rad[joint] {
                self.difference_rad[joint] = difference;
            }
        }
    }

    /// The goal that keeps the arm where it was measured: the pose plus what it hangs below its goals. The gripper's difference is
    /// what it squeezes with, and belongs to its last goal: see [`Sag::hold`].
    fn above(&self, measured: &JointAngles) -> JointAngles {
        let measured = measured.to_array_rad();
        JointAngles::from_array_rad(std::array::from_fn(|joint| measured[joint] + self.difference_rad[joint]))
    }

    /// The goal that keeps an arm where it stands and a held object held: the gripper keeps `last_goal`'s angle as long as that lies
    /// within its lead limit.
    pub(super) fn hold(
        &self,
        measured: &JointAngles,
        last_goal: Option<&JointAngles>,
        limit_rad: &[f64; JOINT_COUNT],
    ) -> JointAngles {
        let mut pose = self.above(measured);
        let gripper = Joint::Gripper;
        let kept = last_goal
            .map(|goal| goal.get(gripper))
            .filter(|angle| (angle - measured.get(gripper)).abs() <= limit_rad[gripper.index()]);
        pose.set(gripper, kept.unwrap_or_else(|| measured.get(gripper)));
        pose
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT_RAD: [f64; JOINT_COUNT] = [0.14, 0.14, 0.14, 0.14, 0.14, 0.44];

    fn at(angles: [f64; 6], millis: u64) -> FeedbackSample {
        FeedbackSample {
            sequence: 0,
            angles: JointAngles::from_array_rad(angles),
            measured: Timestamp::ZERO + Duration::from_millis(millis),
            torque_off: false,
        }
    }

    #[test]
    fn is_learnt_at_rest_only_and_from_joints_that_follow() {
        let mut sag = Sag::default();
        let goal = JointAngles::from_array_rad([0.0, 0.5, 0.0, 0.0, 0.0, 0.3]);
        let rest = Timestamp::ZERO + Duration::from_millis(1_000);
        sag.observe(&goal, rest, &at([0.0, 0.45, 0.0, 0.0, 0.0, 0.5], 1_200), &LIMIT_RAD);
        assert_eq!(sag, Sag::default(), "too soon");
        sag.observe(&goal, rest, &at([0.0, 0.45, 0.0, 0.0, 0.0, 0.5], 900), &LIMIT_RAD);
        assert_eq!(sag, Sag::default(), "measured before");
        sag.observe(&goal, rest, &at([0.3, 0.45, 0.0, 0.0, 0.0, 0.5], 1_400), &LIMIT_RAD);
        assert!((sag.difference_rad[1] - 0.05).abs() < 1e-12);
        assert!(sag.difference_rad[0].abs() < 1e-12, "a joint that is far away does not follow");
    }

    #[test]
    fn a_hold_is_the_pose_plus_sag_and_the_grippers_own_goal() {
        let mut sag = Sag::default();
        let goal = JointAngles::from_array_rad([0.0, 0.5, 0.0, 0.0, 0.0, 0.3]);
        sag.observe(&goal, Timestamp::ZERO, &at([0.0, 0.45, 0.0, 0.0, 0.0, 0.5], 400), &LIMIT_RAD);
        let measured = JointAngles::from_array_rad([0.2, 0.9, 0.0, 0.0, 0.0, 0.5]);
        let held = sag.hold(&measured, Some(&goal), &LIMIT_RAD).to_array_rad();
        assert!((held[1] - 0.95).abs() < 1e-12 && (held[0] - 0.2).abs() < 1e-12, "{held:?}");
        assert!((held[5] - 0.3).abs() < 1e-12, "what is held stays held");
        let far = JointAngles::from_array_rad([0.0, 0.0, 0.0, 0.0, 0.0, -0.2]);
        assert!((sag.hold(&measured, Some(&far), &LIMIT_RAD).get(Joint::Gripper) - 0.5).abs() < 1e-12);
        assert!((sag.hold(&measured, None, &LIMIT_RAD).get(Joint::Gripper) - 0.5).abs() < 1e-12);
    }
}
