//! Bringing the arm to rest without the control core: from the goals that were written last, and nothing else.

use std::time::Duration;

use firmware_protocol::{FirmwareAngles, Generation, Joint as FirmwareJoint, limits::joint_range};

use crate::types::{JOINT_COUNT, JointAngles, JointCommand, Timestamp};

/// Two goals that were written closer together than this say little about their velocity: a busy host wrote late, then in time.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

/// The goals that were written last, newest first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WrittenGoals {
    newest: [Option<(JointCommand, Timestamp)>; 3],
}

impl WrittenGoals {
    pub(super) const fn new() -> Self {
        Self { newest: [None; 3] }
    }

    pub(super) const fn note(&mut self, command: JointCommand, written: Timestamp) {
        self.newest = [Some((command, written)), self.newest[0], self.newest[1]];
    }

    /// The newest goal.
    pub(super) const fn last(&self) -> Option<(JointCommand, Timestamp)> {
        self.newest[0]
    }

    /// How fast goals were moving; zero when there was only one.
    fn velocity_rad_s(&self) -> [f64; JOINT_COUNT] {
        let [Some((last, written)), before, earlier] = self.newest else { return [0.0; JOINT_COUNT] };
        let far_enough = |(_, time): &(JointCommand, Timestamp)| written.since(*time) >= SHORTEST_INTERVAL;
        let Some((before, time)) = before.filter(far_enough).or_else(|| earlier.filter(far_enough)) else {
            return [0.0; JOINT_COUNT];
        };
        let (from, to) = (before.goal.to_array_rad(), last.goal.to_array_rad());
        let elapsed_s = written.seconds_since(time);
        std::array::from_fn(|joint| (to[joint] - from[joint]) / elapsed_s)
    }
}

/// Goals that slow down to rest.
#[derive(Clone, Copy, Debug)]
pub(super) struct StopRamp {
    goal: JointAngles,
    written: Timestamp,
    velocity_rad_s: [f64; JOINT_COUNT],
    deceleration_rad_s2: f64,
    /// What the firmware accepts, stretched to the goal that the ramp began with.
    limits: [(f64, f64); JOINT_COUNT],
    at_rest: bool,
}

impl StopRamp {
    /// From the goals that were written; `None` when there are none.
    pub(super) fn new(
        goals: &WrittenGoals,
        deceleration_rad_s2: f64,
        generation: Generation,
    ) -> Option<Self> {
        let (last, written) = goals.last()?;
        let goal = FirmwareAngles::from(last.goal).to_array();
        let limits = std::array::from_fn(|joint| {
            let range = joint_range(generation, FirmwareJoint::ALL[joint]);
            (range.min_rad.min(goal[joint]), range.max_rad.max(goal[joint]))
        });
        let velocity_rad_s = goals.velocity_rad_s();
        Some(Self { goal: last.goal, written, velocity_rad_s, deceleration_rad_s2, limits, at_rest: false })
    }

    /// The goal to write at `now`: each joint slows down by the deceleration times the time since the last goal was written,
    /// so that however late the goals are written, none goes further than braking in time would.
    pub(super) fn next(&self, now: Timestamp) -> JointAngles {
        let elapsed_s = now.seconds_since(self.written).max(0.0);
        let from = self.goal.to_array_rad();
        let goal = std::array::from_fn(|joint| {
            let before = self.velocity_rad_s[joint];
            let speed = (before.abs() - self.deceleration_rad_s2 * elapsed_s).max(0.0);
            from[joint] + speed.copysign(before) * elapsed_s
        });
        let mut angles = FirmwareAngles::from(JointAngles::from_array_rad(goal)).to_array();
        for (angle, (lower, upper)) in angles.iter_mut().zip(self.limits) {
            *angle = angle.clamp(lower, upper);
        }
        JointAngles::from(FirmwareAngles::from_array(angles))
    }

    /// A goal of this ramp was written.
    pub(super) fn advance(&mut self, goal: JointAngles, written: Timestamp) {
        let elapsed_s = written.seconds_since(self.written);
        let (from, to) = (self.goal.to_array_rad(), goal.to_array_rad());
        // Rounding of the way through the firmware's angles is no motion.
        self.at_rest = self.goal.max_difference(&goal) < 1e-9;
        if elapsed_s > 0.0 {
            self.velocity_rad_s = std::array::from_fn(|joint| (to[joint] - from[joint]) / elapsed_s);
        }
        (self.goal, self.written) = (goal, written);
    }

    /// Whether the last goal repeated the one before.
    pub(super) const fn is_at_rest(&self) -> bool {
        self.at_rest
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const DECELERATION: f64 = 7.0;

    fn goals(steps: &[([f64; 6], u64)]) -> WrittenGoals {
        let mut goals = WrittenGoals::new();
        let mut now = Timestamp::from_nanos(1_000_000_000);
        for (sequence, (goal, millis)) in steps.iter().enumerate() {
            now = now + Duration::from_millis(*millis);
            let goal = JointAngles::from_array_rad(*goal);
            let sequence = sequence as u64;
            goals.note(
                JointCommand {
                    sequence,
                    tick: sequence,
                    goal,
                    profile: crate::types::ServoProfile { speed_rad_s: 3.0, acceleration_rad_s2: 7.7 },
                },
                now,
            );
        }
        goals
    }

    fn all(angle: f64) -> [f64; 6] {
        [angle; 6]
    }

    #[test]
    fn nothing_written_is_nothing_to_stop() {
        assert!(StopRamp::new(&WrittenGoals::new(), DECELERATION, Generation::G1).is_none());
    }

    #[test]
    fn a_single_goal_is_held() {
        let ramp = StopRamp::new(&goals(&[(all(0.5), 20)]), DECELERATION, Generation::G1).unwrap();
        let later = ramp.written + Duration::from_millis(20);
        assert!(ramp.next(later).max_difference(&JointAngles::from_array_rad(all(0.5))) < 1e-12);
    }

    #[test]
    fn goals_written_in_a_burst_give_no_wild_velocity() {
        let burst = goals(&[(all(0.50), 20), (all(0.52), 20), (all(0.53), 1)]);
        let velocity = burst.velocity_rad_s()[0];
        assert!((velocity - 0.03 / 0.021).abs() < 1e-9, "{velocity}");
    }

    /// Where braking would lead out of what the firmware accepts, the goal stays at the edge.
    #[test]
    fn a_stop_at_the_limit_stays_inside() {
        let range = joint_range(Generation::G1, FirmwareJoint::Base);
        let near = |before: f64| {
            let mut angles = FirmwareAngles::HOME.to_array();
            angles[0] = range.max_rad - before;
            JointAngles::from(FirmwareAngles::from_array(angles)).to_array_rad()
        };
        let mut ramp =
            StopRamp::new(&goals(&[(near(0.022), 20), (near(0.002), 20)]), DECELERATION, Generation::G1)
                .unwrap();
        for _ in 0..20 {
            let now = ramp.written + Duration::from_millis(20);
            let goal = ramp.next(now);
            ramp.advance(goal, now);
            assert!(FirmwareAngles::from(goal).base_rad <= range.max_rad + 1e-12, "{goal:?}");
        }
        assert!(ramp.is_at_rest());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        /// Monotone to rest, inside the limits, at most the deceleration, and no further than braking takes.
        #[test]
        fn every_ramp_comes_to_rest_as_it_should(
            from in prop::array::uniform6(-0.2_f64..0.9),
            velocity in prop::array::uniform6(-1.1_f64..1.1),
            period_ms in 15_u64..40,
            waits_ms in prop::collection::vec(15_u64..60, 80),
            generation in prop::sample::select(Generation::ALL.to_vec()),
        ) {
            let period_s = period_ms as f64 * 1e-3;
            // Inside the limits of every generation and joint with room for two steps.
            let start: [f64; 6] = std::array::from_fn(|joint| from[joint].max(0.1));
            let second = std::array::from_fn(|joint| start[joint] + velocity[joint] * period_s);
            let written = goals(&[(start, period_ms), (second, period_ms)]);
            let mut ramp = StopRamp::new(&written, DECELERATION, generation).unwrap();
            let limits = ramp.limits;
            let (mut before, mut last, mut now) = (velocity, second, ramp.written);
            let mut rested = false;
            for millis in waits_ms {
                now = now + Duration::from_millis(millis);
                let elapsed_s = millis as f64 * 1e-3;
                let goal = ramp.next(now);
                ramp.advance(goal, now);
                let angles = goal.to_array_rad();
                let firmware = FirmwareAngles::from(goal).to_array();
                for joint in 0..6 {
                    let (lower, upper) = limits[joint];
                    prop_assert!((lower - 1e-9..=upper + 1e-9).contains(&firmware[joint]));
                    let speed = (angles[joint] - last[joint]) / elapsed_s;
                    // Never faster, never backwards.
                    prop_assert!(speed * before[joint] >= -1e-6 && speed.abs() <= before[joint].abs() + 1e-6);
                    let inside = firmware[joint] > lower + 1e-9 && firmware[joint] < upper - 1e-9;
                    prop_assert!(!inside || (before[joint] - speed).abs() <= DECELERATION * elapsed_s + 1e-6);
                    let way = (angles[joint] - second[joint]).abs();
                    prop_assert!(way <= velocity[joint] * velocity[joint] / (2.0 * DECELERATION) + 1e-6);
                    before[joint] = speed;
                }
                last = angles;
                prop_assert!(!rested || ramp.is_at_rest(), "it moved again");
                rested = ramp.is_at_rest();
            }
            prop_assert!(rested);
        }
    }
}
