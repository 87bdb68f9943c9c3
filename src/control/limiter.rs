//! Step, velocity and acceleration, bounded from the last written goal.

use crate::types::{JOINT_COUNT, JointAngles, Timestamp};

use super::parameters::JointBounds;

/// However long the pause since the last written goal: one goal moves no further than top speed does in this time.
///
/// The servos run a step at their own speed, so what is waited for must not be made up for in one go.
const LONGEST_STEP_S: f64 = 0.08;

/// The last goal that reached the port, and how fast goals were moving then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WrittenGoal {
    pub(super) goal: JointAngles,
    pub(super) written: Timestamp,
    /// Since when goals have been at rest; meaningless while they move.
    pub(super) since_rest: Timestamp,
    velocity_rad_s: [f64; JOINT_COUNT],
    /// What the goal was made for; the difference to the next target is the target's own velocity.
    pub(super) target: JointAngles,
}

/// Which bounds had to act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limited {
    pub(super) step: bool,
    pub(super) velocity: bool,
    pub(super) acceleration: bool,
    pub(super) lead: bool,
}

/// What bounds the next goal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct GoalBounds {
    /// Where goals may be.
    pub(super) limits: JointBounds,
    /// Top velocity, rad/s.
    pub(super) velocity_rad_s: f64,
    /// Top acceleration, rad/s².
    pub(super) acceleration_rad_s2: f64,
    /// Lead over the measured pose; `None` where none was measured.
    pub(super) lead: Option<Lead>,
}

/// How far goals may run ahead of the arm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lead {
    /// The last measured pose.
    pub(super) measured: JointAngles,
    /// The limit of each joint, radians.
    pub(super) limit_rad: [f64; JOINT_COUNT],
    /// How hard a goal may brake before the limit, rad/s².
    pub(super) deceleration_rad_s2: f64,
}

impl Lead {
    /// The velocity of one joint, held back so that its goal can come to rest inside the limit of a standing arm.
    ///
    /// A goal that is already outside, since the arm was pushed away from it, may come back and brakes otherwise.
    fn hold_back(&self, joint: usize, from_rad: f64, velocity: f64, before: f64, elapsed_s: f64) -> f64 {
        let (measured, limit) = (self.measured.to_array_rad()[joint], self.limit_rad[joint]);
        let direction = if velocity < 0.0 { -1.0 } else { 1.0 };
        let room = (limit - direction * (from_rad - measured)).max(0.0);
        let allowed = braking_velocity(room, elapsed_s, self.deceleration_rad_s2);
        let hardest = direction * before - self.deceleration_rad_s2 * elapsed_s;
        direction * (direction * velocity).min(allowed.max(hardest))
    }
}

impl WrittenGoal {
    /// A standing start: the arm is at `pose` and nothing has been written yet.
    pub(super) const fn at_rest(pose: JointAngles, now: Timestamp) -> Self {
        Self { goal: pose, written: now, since_rest: now, velocity_rad_s: [0.0; JOINT_COUNT], target: pose }
    }

    /// Takes note of the next written goal and of the target that it was made for.
    pub(super) fn advance(&mut self, goal: JointAngles, target: JointAngles, written: Timestamp) {
        let elapsed_s = written.seconds_since(self.written);
        let (from, to) = (self.goal.to_array_rad(), goal.to_array_rad());
        if elapsed_s > 0.0 {
            self.velocity_rad_s = std::array::from_fn(|joint| (to[joint] - from[joint]) / elapsed_s);
        }
        if goal != self.goal {
            self.since_rest = written;
        }
        self.goal = goal;
        self.target = target;
        self.written = written;
    }

    /// Whether goals have come to rest.
    pub(super) fn is_at_rest(&self) -> bool {
        self.velocity_rad_s.iter().all(|velocity| velocity.abs() < 1e-9)
    }

    /// The goal nearest to `target` that may be written at `now`.
    ///
    /// Each joint keeps its top velocity, changes it by at most the top acceleration times the elapsed time, and can
    /// always come to rest inside the limits: for any later writing times the braking distance is at most v²/2a (a lower
    /// Riemann sum of the continuous ramp), so keeping that distance free now keeps it free for ever. Where the lead over the
    /// measured pose holds a joint back, it may brake as hard as a stop does.
    pub(super) fn towards(
        &self,
        target: &JointAngles,
        now: Timestamp,
        bounds: &GoalBounds,
    ) -> (JointAngles, Limited) {
        let GoalBounds { limits, velocity_rad_s, acceleration_rad_s2, lead } = bounds;
        let (max_velocity_rad_s, max_acceleration_rad_s2) = (*velocity_rad_s, *acceleration_rad_s2);
        let elapsed_s = now.seconds_since(self.written);
        if elapsed_s <= 0.0 {
            return (self.goal, Limited::default());
        }
        let mut limited = Limited::default();
        let (from, to) = (self.goal.to_array_rad(), target.to_array_rad());
        let (lower, upper) = (limits.lower.to_array_rad(), limits.upper.to_array_rad());
        let target_before = self.target.to_array_rad();
        let goal = std::array::from_fn(|joint| {
            let wanted = (to[joint] - from[joint]) / elapsed_s;
            limited.velocity |= wanted.abs() > max_velocity_rad_s;
            // Meet a moving target at its own speed: what has to brake in time is the motion relative to it.
            let target_velocity = ((to[joint] - target_before[joint]) / elapsed_s)
                .clamp(-max_velocity_rad_s, max_velocity_rad_s);
            let behind = to[joint] - from[joint] - target_velocity * elapsed_s;
            let closing = braking_velocity(behind.abs(), elapsed_s, max_acceleration_rad_s2);
            let asked =
                (target_velocity + closing.copysign(behind)).clamp(-max_velocity_rad_s, max_velocity_rad_s);
            let before = self.velocity_rad_s[joint];
            let change = max_acceleration_rad_s2 * elapsed_s;
            // After a pause a step is no longer than usual, unless braking needs it.
            let unhurried =
                (max_velocity_rad_s * LONGEST_STEP_S / elapsed_s).max(before.abs() - change).max(0.0);
            let gradual = asked.clamp(before - change, before + change);
            limited.acceleration |= (asked - gradual).abs() > 1e-9;
            let velocity = gradual.clamp(-unhurried, unhurried);
            limited.step |= (gradual - velocity).abs() > 1e-9;
            let led =
                lead.map_or(velocity, |lead| lead.hold_back(joint, from[joint], velocity, before, elapsed_s));
            limited.lead |= (velocity - led).abs() > 1e-9;
            let velocity = led;
            // Room to brake before the limits comes last and is never given up.
            let room =
                |distance: f64| braking_velocity(distance.max(0.0), elapsed_s, max_acceleration_rad_s2);
            let velocity =
                velocity.clamp(-room(from[joint] - lower[joint]), room(upper[joint] - from[joint]));
            (from[joint] + velocity * elapsed_s).clamp(lower[joint], upper[joint])
        });
        (JointAngles::from_array_rad(goal), limited)
    }

    #[cfg_attr(not(test), expect(dead_code, reason = "the workspace rule judges it"))]
    /// Where goals would come to rest if they braked with `deceleration_rad_s2` from `goal` on, reached at `now`.
    pub(super) fn resting_place(
        &self,
        goal: &JointAngles,
        now: Timestamp,
        deceleration_rad_s2: f64,
        limits: &JointBounds,
    ) -> JointAngles {
        let elapsed_s = now.seconds_since(self.written);
        if elapsed_s <= 0.0 {
            return *goal;
        }
        let (from, to) = (self.goal.to_array_rad(), goal.to_array_rad());
        let resting = std::array::from_fn(|joint| {
            let velocity = (to[joint] - from[joint]) / elapsed_s;
            to[joint] + velocity * velocity.abs() / (2.0 * deceleration_rad_s2)
        });
        limits.clamp(&JointAngles::from_array_rad(resting))
    }

    /// The goal to write at `now` while coming to rest as fast as `deceleration_rad_s2` allows.
    pub(super) fn braking(
        &self,
        now: Timestamp,
        deceleration_rad_s2: f64,
        limits: &JointBounds,
    ) -> JointAngles {
        let elapsed_s = now.seconds_since(self.written).max(0.0);
        let from = self.goal.to_array_rad();
        let (lower, upper) = (limits.lower.to_array_rad(), limits.upper.to_array_rad());
        JointAngles::from_array_rad(std::array::from_fn(|joint| {
            let before = self.velocity_rad_s[joint];
            let velocity = before.signum() * (before.abs() - deceleration_rad_s2 * elapsed_s).max(0.0);
            (from[joint] + velocity * elapsed_s).clamp(lower[joint], upper[joint])
        }))
    }
}

/// The highest velocity for the coming `elapsed_s` from which the rest of `distance` still suffices to brake:
/// the positive root of `v * elapsed + v² / 2a = distance`.
fn braking_velocity(distance: f64, elapsed_s: f64, acceleration: f64) -> f64 {
    let ramp = acceleration * elapsed_s;
    (ramp * ramp + 2.0 * acceleration * distance).sqrt() - ramp
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const VELOCITY: f64 = 1.5;
    const ACCELERATION: f64 = 10.0;

    fn limits() -> JointBounds {
        JointBounds {
            lower: JointAngles::from_array_rad([-1.0; 6]),
            upper: JointAngles::from_array_rad([1.0; 6]),
        }
    }

    fn step(state: &mut WrittenGoal, target: f64, millis: u64) -> f64 {
        let now = state.written + Duration::from_millis(millis);
        let target = JointAngles::from_array_rad([target; 6]);
        let bounds = GoalBounds {
            limits: limits(),
            velocity_rad_s: VELOCITY,
            acceleration_rad_s2: ACCELERATION,
            lead: None,
        };
        let (goal, _) = state.towards(&target, now, &bounds);
        state.advance(goal, target, now);
        goal.to_array_rad()[0]
    }

    #[test]
    fn reaches_a_standing_target_without_overshoot() {
        let mut state = WrittenGoal::at_rest(JointAngles::ZERO, Timestamp::ZERO);
        let path: Vec<f64> = (0..100).map(|_| step(&mut state, 0.7, 20)).collect();
        assert!(path.iter().all(|angle| *angle <= 0.7 + 1e-9), "{path:?}");
        assert!((path[99] - 0.7).abs() < 1e-6, "{}", path[99]);
        assert!(path.windows(2).all(|pair| pair[1] >= pair[0] - 1e-12));
    }

    #[test]
    fn follows_a_slow_target_exactly() {
        let mut state = WrittenGoal::at_rest(JointAngles::ZERO, Timestamp::ZERO);
        for tick in 1..=200 {
            // A target that starts gently: half a cosine of 2 s.
            let target = 0.25 * (1.0 - (f64::from(tick) * 0.02 * std::f64::consts::FRAC_PI_2).cos());
            let goal = step(&mut state, target, 20);
            assert!((goal - target).abs() < 1e-9, "tick {tick}: {goal} for {target}");
        }
    }

    #[test]
    fn two_missed_writes_do_not_double_the_velocity() {
        let mut state = WrittenGoal::at_rest(JointAngles::ZERO, Timestamp::ZERO);
        for _ in 0..20 {
            step(&mut state, 0.9, 20);
        }
        let before = state.goal.to_array_rad()[0];
        let after = step(&mut state, 1.0, 28);
        assert!(after - before <= VELOCITY * 0.028 + 1e-12);
    }

    const LEAD: f64 = 0.14;
    const DECELERATION: f64 = 15.0;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn goals_never_run_further_ahead_than_the_lead_limit(
            steps in prop::collection::vec((-3.0_f64..3.0, 1_u64..120, 0.0_f64..1.0), 1..120),
        ) {
            // An arm that follows, each time by another share of what is missing, and never moves away from its goal.
            let mut state = WrittenGoal::at_rest(JointAngles::ZERO, Timestamp::ZERO);
            let (mut measured, mut velocity_before) = (0.0, 0.0_f64);
            for (target, millis, follows) in steps {
                let before = state.goal.to_array_rad()[0];
                let now = state.written + Duration::from_millis(millis);
                let target = JointAngles::from_array_rad([target; 6]);
                let lead = Lead {
                    measured: JointAngles::from_array_rad([measured; 6]),
                    limit_rad: [LEAD; 6],
                    deceleration_rad_s2: DECELERATION,
                };
                let bounds = GoalBounds {
                    limits: limits(),
                    velocity_rad_s: VELOCITY,
                    acceleration_rad_s2: ACCELERATION,
                    lead: Some(lead),
                };
                let (goal, _) = state.towards(&target, now, &bounds);
                state.advance(goal, target, now);
                let after = goal.to_array_rad()[0];
                prop_assert!((after - measured).abs() <= LEAD + 1e-9, "{} ahead of {}", after, measured);
                let elapsed = millis as f64 * 1e-3;
                let velocity = (after - before) / elapsed;
                let change = (velocity - velocity_before).abs();
                prop_assert!(change <= DECELERATION * elapsed * (1.0 + 1e-6) + 1e-9, "changes by {change}");
                velocity_before = velocity;
                measured += follows * (after - measured);
            }
        }

        #[test]
        fn braking_ends_at_the_resting_place_or_before_it(
            targets in prop::collection::vec(-1.5_f64..1.5, 1..20), writes in prop::collection::vec(1_u64..60, 40),
        ) {
            let mut state = WrittenGoal::at_rest(JointAngles::ZERO, Timestamp::ZERO);
            for target in targets {
                step(&mut state, target, 20);
            }
            let before = state;
            let now = state.written + Duration::from_millis(20);
            step(&mut state, 1.5, 20);
            let resting = before.resting_place(&state.goal, now, DECELERATION, &limits()).to_array_rad()[0];
            let from = state.goal.to_array_rad()[0];
            for millis in writes {
                let now = state.written + Duration::from_millis(millis);
                let goal = state.braking(now, DECELERATION, &limits());
                state.advance(goal, goal, now);
            }
            let at = state.goal.to_array_rad()[0];
            prop_assert!((at - from).abs() <= (resting - from).abs() + 1e-9, "from {from} to {at}, not {resting}");
        }

        #[test]
        fn bounds_hold_for_any_targets_and_writing_times(
            steps in prop::collection::vec((-3.0_f64..3.0, prop_oneof![1_u64..120, 120_u64..2_000], prop::bool::weighted(0.05)), 1..120),
        ) {
            let mut state = WrittenGoal::at_rest(JointAngles::from_array_rad([0.3; 6]), Timestamp::ZERO);
            let mut velocity_before = 0.0;
            for (target, millis, brake) in steps {
                let before = state.goal.to_array_rad()[0];
                let elapsed = millis as f64 * 1e-3;
                let after = if brake {
                    let now = state.written + Duration::from_millis(millis);
                    let goal = state.braking(now, ACCELERATION, &limits());
                    state.advance(goal, goal, now);
                    goal.to_array_rad()[0]
                } else {
                    step(&mut state, target, millis)
                };
                let velocity = (after - before) / elapsed;
                prop_assert!((-1.0..=1.0).contains(&after));
                prop_assert!(velocity.abs() <= VELOCITY * (1.0 + 1e-9));
                prop_assert!((after - before).abs() <= VELOCITY * LONGEST_STEP_S + 1e-9, "a step of {}", after - before);
                prop_assert!((velocity - velocity_before).abs() <= ACCELERATION * elapsed * (1.0 + 1e-6) + 1e-9,
                    "from {} to {} in {} s", velocity_before, velocity, elapsed);
                velocity_before = velocity;
            }
        }
    }
}
