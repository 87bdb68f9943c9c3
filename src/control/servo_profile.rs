//! How fast the servos may go to each goal, so that they glide from one goal to the next instead of stepping.
//!
//! A servo makes a trapezoid of its own to every goal. With much speed and acceleration it is there early and stands until the next
//! command comes, up to fifty times a second. With what is given here it is still braking when the next goal comes, so that its
//! speed changes little: an acceleration of `v / (2.5 T)` for goals at `v` every `T` leaves the servo one and a quarter commands
//! behind and lets its speed vary by the acceleration times `T`. T:102 has one pair of fields for all joints, so the fastest joint
//! decides.

use crate::types::{JointAngles, ServoProfile};

/// Acceleration by goal speed and time between commands.
///
/// Tried from 0.25 to 2 on the board's model: less leaves the servos so far behind that the lead limit slows fast motion, more lets
/// them step.
const ACCELERATION: f64 = 0.4;
/// The servos may go so much faster than the goals do: enough to catch up, and no more for an arm that was held and comes free.
const CATCH_UP: f64 = 1.3;
/// The servos are never given less than this, rad/s (10 °/s) and rad/s²: the last steps to a standing goal take no longer.
const LEAST: ServoProfile = ServoProfile { speed_rad_s: 0.175, acceleration_rad_s2: 2.0 };
/// When goals slow down, this share of their speed counts on from command to command: the servos still have to catch up.
const FADE: f64 = 0.8;
/// Times between commands that count, s: a pause is not the pace.
const SHORTEST_PACE_S: f64 = 0.01;
const LONGEST_PACE_S: f64 = 0.05;
/// The usual pace, and how much of it a new time between two commands makes.
const USUAL_PACE_S: f64 = 0.02;
const NEWEST: f64 = 0.2;

/// Speed and pace of the goals.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServoPace {
    goals_rad_s: f64,
    pace_s: f64,
}

impl Default for ServoPace {
    fn default() -> Self {
        Self { goals_rad_s: 0.0, pace_s: USUAL_PACE_S }
    }
}

impl ServoPace {
    /// The profile for a goal that is written `elapsed_s` after the one before; `most` bounds it.
    pub(super) fn next(
        &mut self,
        before: &JointAngles,
        goal: &JointAngles,
        elapsed_s: f64,
        most: &ServoProfile,
    ) -> ServoProfile {
        let elapsed_s = elapsed_s.clamp(SHORTEST_PACE_S, LONGEST_PACE_S);
        self.pace_s += NEWEST * (elapsed_s - self.pace_s);
        self.goals_rad_s = (goal.max_difference(before) / elapsed_s).max(self.goals_rad_s * FADE);
        let speed_rad_s = CATCH_UP * self.goals_rad_s;
        let acceleration_rad_s2 = ACCELERATION * self.goals_rad_s / self.pace_s;
        ServoProfile {
            speed_rad_s: speed_rad_s.max(LEAST.speed_rad_s).min(most.speed_rad_s),
            acceleration_rad_s2: acceleration_rad_s2
                .max(LEAST.acceleration_rad_s2)
                .min(most.acceleration_rad_s2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: ServoProfile = ServoProfile { speed_rad_s: 3.0, acceleration_rad_s2: 30.0 };

    fn at(rad: f64) -> JointAngles {
        JointAngles::from_array_rad([0.0, 0.0, rad, -0.3 * rad, 0.0, 0.0])
    }

    #[test]
    fn it_is_the_fastest_joints_and_no_more_than_allowed() {
        let mut pace = ServoPace::default();
        let steady = pace.next(&at(0.0), &at(0.02), 0.02, &MOST);
        assert!((steady.speed_rad_s - 1.3).abs() < 1e-9, "1 rad/s and what it takes to catch up: {steady:?}");
        assert!((steady.acceleration_rad_s2 - 20.0).abs() < 1e-9, "{steady:?}");
        assert_eq!(pace.next(&at(0.0), &at(-0.2), 0.02, &MOST), MOST);
    }

    #[test]
    fn standing_goals_leave_time_to_get_there_and_then_the_least() {
        let mut pace = ServoPace::default();
        pace.next(&at(0.0), &at(0.02), 0.02, &MOST);
        let after = pace.next(&at(0.02), &at(0.02), 0.02, &MOST);
        assert!((after.speed_rad_s - 1.04).abs() < 1e-9, "{after:?}");
        let long_after = (0..30).map(|_| pace.next(&at(0.02), &at(0.02), 0.02, &MOST)).last();
        assert_eq!(long_after, Some(LEAST));
    }

    #[test]
    fn a_pause_is_not_the_pace() {
        let mut pace = ServoPace::default();
        let profile = pace.next(&at(0.0), &at(0.1), 3.0, &MOST);
        assert!((profile.speed_rad_s - 2.6).abs() < 1e-9, "as if it were 50 ms: {profile:?}");
        assert!(profile.acceleration_rad_s2.is_finite() && profile.acceleration_rad_s2 > 0.0);
    }
}
