//! Whether the joints follow their goals.

use std::time::Duration;

use crate::types::{FeedbackSample, JOINT_COUNT, Joint, JointAngles, Timestamp};

/// A joint moves when it comes nearer to its goal by more than this: three encoder steps, beyond what a standing one trembles.
const MOTION_RAD: f64 = 3.0 * firmware_protocol::steps::STEP_RAD;

/// Where a joint was when it was last seen to move towards its goal, while that goal is far ahead of it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Anchor {
    at_rad: f64,
    direction: f64,
    since: Timestamp,
}

/// Finds a joint that is far from its goal and does not come nearer.
///
/// With a limited lead a blocked joint shows as a goal that stays at the limit. A fast motion may lag as far behind, but moves; an
/// arm that sags stands still, but nearer. The gripper is left alone: it presses on what it holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TrackingWatch {
    anchors: [Option<Anchor>; JOINT_COUNT],
}

impl TrackingWatch {
    /// Takes a measured pose while `goal` is the last written goal; the first joint that has been more than `error_rad` from its
    /// goal for `time` without moving towards it.
    pub(super) fn observe(
        &mut self,
        goal: &JointAngles,
        sample: &FeedbackSample,
        error_rad: f64,
        time: Duration,
    ) -> Option<Joint> {
        let mut found = None;
        for joint in Joint::ALL.into_iter().filter(|joint| *joint != Joint::Gripper) {
            let (anchor, at_rad) = (&mut self.anchors[joint.index()], sample.angles.get(joint));
            let error = goal.get(joint) - at_rad;
            if error.abs() <= error_rad {
                *anchor = None;
                continue;
            }
            let direction = error.signum();
            let stands = anchor.filter(|anchor| {
                anchor.direction * direction > 0.0 && direction * (at_rad - anchor.at_rad) <= MOTION_RAD
            });
            match stands {
                Some(anchor) if sample.measured.since(anchor.since) >= time => {
                    found = found.or(Some(joint));
                }
                Some(_) => {}
                None => *anchor = Some(Anchor { at_rad, direction, since: sample.measured }),
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ERROR_RAD: f64 = 0.113;
    const TIME: Duration = Duration::from_secs(1);

    /// The first time (s) at which the shoulder is found, for goal and measured angle as functions of time.
    fn found_at(joint: Joint, goal: impl Fn(f64) -> f64, measured: impl Fn(f64) -> f64) -> Option<f64> {
        let mut watch = TrackingWatch::default();
        (0..250).map(|tick| f64::from(tick) * 0.02).find(|at| {
            let mut angles = JointAngles::ZERO;
            angles.set(joint, measured(*at));
            let mut goals = JointAngles::ZERO;
            goals.set(joint, goal(*at));
            let sample = FeedbackSample {
                sequence: 0,
                angles,
                measured: Timestamp::ZERO + Duration::from_secs_f64(*at),
                torque_off: false,
            };
            let found = watch.observe(&goals, &sample, ERROR_RAD, TIME);
            assert!(found.is_none_or(|found| found == joint));
            found.is_some()
        })
    }

    #[test]
    fn a_joint_that_stands_far_from_its_goal_is_found_after_the_time() {
        for (joint, sign) in [(Joint::Shoulder, 1.0), (Joint::Base, -1.0), (Joint::Roll, 1.0)] {
            let at = found_at(joint, |_| sign * 0.13, |_| 0.0).expect("it stands");
            assert!((at - 1.0).abs() < 0.021, "{at}");
            // It trembles by two encoder steps.
            let tremble = |at: f64| if (at * 50.0) as i32 % 2 == 0 { 0.0 } else { 0.003 };
            assert!(found_at(joint, |_| sign * 0.13, tremble).is_some_and(|at| at < 1.1));
            // It is pushed away.
            assert!(found_at(joint, |_| sign * 0.13, |at| -sign * 0.02 * at).is_some_and(|at| at < 1.1));
        }
    }

    #[test]
    fn a_lag_a_sag_and_a_held_object_are_not() {
        assert_eq!(
            found_at(Joint::Shoulder, |at| 0.14 + 0.4 * at, |at| 0.4 * at),
            None,
            "it lags, but moves"
        );
        assert_eq!(found_at(Joint::Shoulder, |_| 0.10, |_| 0.0), None, "it sags");
        assert_eq!(found_at(Joint::Gripper, |_| -0.4, |_| 0.0), None, "it holds something");
        let slow = |at: f64| 0.006 * at;
        assert_eq!(found_at(Joint::Shoulder, |_| 0.3, slow), None, "it creeps, but comes nearer");
        let to_and_fro = |at: f64| if (at * 2.0) as i32 % 2 == 0 { 0.13 } else { -0.13 };
        assert_eq!(found_at(Joint::Shoulder, to_and_fro, |_| 0.0), None, "no goal stays for a second");
    }
}
