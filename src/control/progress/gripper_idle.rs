//! A gripper that closed and an arm that then does nothing: the object was missed, or the policy does not know what comes next.

use std::time::Duration;

use crate::types::{Joint, JointAngles, StillnessDetector, Timestamp};

/// Goals so far below the measured angle squeeze something.
const SQUEEZING_RAD: f64 = 0.05;

/// When a closed gripper counts as idle, and what follows. The episode is labelled as failed in any case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GripperIdle {
    /// A gripper below this angle, radians, is closed; so is one that squeezes something.
    pub closed_below_rad: f64,
    /// No other joint moves further than this, radians, from where the time began ...
    pub threshold_rad: f64,
    /// ... for this long.
    pub time: Duration,
    /// Whether the run ends then.
    pub ends: bool,
}

/// Finds idle grippers.
#[derive(Clone, Copy, Debug)]
pub(super) struct GripperIdleDetector {
    settings: GripperIdle,
    stillness: StillnessDetector,
    /// Said already: the label does not change any more.
    found: bool,
}

impl GripperIdleDetector {
    pub(super) const fn new(settings: GripperIdle) -> Self {
        let stillness = StillnessDetector::new(settings.time, settings.threshold_rad);
        Self { settings, stillness, found: false }
    }

    pub(super) const fn forget(&mut self) {
        self.stillness = StillnessDetector::new(self.settings.time, self.settings.threshold_rad);
    }

    /// Takes a measured pose and the last goal; once, whether the run shall end.
    pub(super) fn observe(
        &mut self,
        angles: &JointAngles,
        goal: &JointAngles,
        played: Timestamp,
    ) -> Option<bool> {
        let (at_rad, goal_rad) = (angles.get(Joint::Gripper), goal.get(Joint::Gripper));
        let closed = goal_rad <= at_rad + SQUEEZING_RAD
            && (at_rad < self.settings.closed_below_rad || goal_rad < at_rad - SQUEEZING_RAD);
        if !closed {
            self.forget();
            return None;
        }
        let mut arm = *angles;
        arm.set(Joint::Gripper, 0.0);
        if self.found || !self.stillness.observe(&arm, played) {
            return None;
        }
        self.found = true;
        Some(self.settings.ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: GripperIdle =
        GripperIdle { closed_below_rad: 0.1, threshold_rad: 0.05, time: Duration::from_secs(10), ends: true };

    /// Ticks (of 100 ms) at which it was found; functions give the shoulder's angle, the gripper's, and the gripper's goal.
    fn found_at(
        arm: impl Fn(u64) -> f64,
        gripper: impl Fn(u64) -> f64,
        goal: impl Fn(u64) -> f64,
    ) -> Vec<u64> {
        let mut detector = GripperIdleDetector::new(SETTINGS);
        (0..300_u64)
            .filter(|tick| {
                let angles = JointAngles::from_array_rad([0.0, arm(*tick), 0.0, 0.0, 0.0, gripper(*tick)]);
                let mut goals = angles;
                goals.set(Joint::Gripper, goal(*tick));
                let at = Timestamp::ZERO + Duration::from_millis(tick * 100);
                detector.observe(&angles, &goals, at).is_some()
            })
            .collect()
    }

    #[test]
    fn closed_on_nothing_and_closed_on_something_are_found_once() {
        assert_eq!(found_at(|_| 0.4, |_| 0.02, |_| 0.0), [100]);
        assert_eq!(found_at(|_| 0.4, |_| 0.5, |_| 0.3), [100], "it squeezes something");
    }

    #[test]
    fn an_open_gripper_an_arm_that_moves_and_a_gripper_that_opens_are_not() {
        assert!(found_at(|_| 0.4, |_| 0.5, |_| 0.5).is_empty(), "open");
        assert!(found_at(|tick| 0.01 * tick as f64, |_| 0.02, |_| 0.0).is_empty(), "the arm carries it away");
        assert!(found_at(|_| 0.4, |_| 0.02, |_| 0.4).is_empty(), "about to open");
        let now_and_then = |tick: u64| if tick % 60 < 3 { 0.4 } else { 0.02 };
        assert!(found_at(|_| 0.4, now_and_then, now_and_then).is_empty(), "it tries again and again");
    }
}
