//! Between two actions: a monotone cubic.
//!
//! Each action is met at its own time and the velocity is continuous. Of the interpolants that do this, the monotone cubic is
//! the one that invents no motion: between two actions it never leaves the interval between them, so it neither goes beyond what
//! the policy asked for nor beyond the joint limits, and a policy that stands still stands still. A spline with continuous
//! acceleration swings over where the actions turn, and straight lines (LeRobot's `ActionInterpolator`) kick at each action.
//! Its acceleration steps at the actions; the follower rounds these off within its jerk bound.

use super::JointState;

/// Slope at an action, per action, from the steps before and after it: their mean, which is exact for parabolas, and no more
/// than three times the smaller one, which keeps the cubic monotone (Fritsch and Carlson 1980). 0 where the motion turns round.
pub(in super::super) fn slope(step_before: f64, step_after: f64) -> f64 {
    if step_before * step_after <= 0.0 {
        return 0.0;
    }
    let largest = 3.0 * step_before.abs().min(step_after.abs());
    f64::midpoint(step_before, step_after).clamp(-largest, largest)
}

/// One joint's way from an action to the next one.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Segment {
    pub(in super::super) from: f64,
    pub(in super::super) to: f64,
    /// Slope at the beginning, per action.
    pub(in super::super) slope_from: f64,
    /// Slope at the end, per action.
    pub(in super::super) slope_to: f64,
}

impl Segment {
    /// No way at all.
    pub(in super::super) const fn at_rest(position: f64) -> Self {
        Self { from: position, to: position, slope_from: 0.0, slope_to: 0.0 }
    }

    /// The state at `part` of the way, 0 to 1, with derivatives by the action's index.
    pub(in super::super) fn at(&self, part: f64) -> JointState {
        let Self { from, to, slope_from, slope_to } = *self;
        let step = to - from;
        let quadratic = 3.0 * step - 2.0 * slope_from - slope_to;
        let cubic = slope_from + slope_to - 2.0 * step;
        JointState {
            position: from + part * (slope_from + part * (quadratic + part * cubic)),
            velocity: slope_from + part * (2.0 * quadratic + 3.0 * part * cubic),
            acceleration: 2.0 * quadratic + 6.0 * part * cubic,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_steady_motion_stays_steady() {
        let segment = Segment { from: 1.0, to: 1.5, slope_from: slope(0.5, 0.5), slope_to: slope(0.5, 0.5) };
        for part in [0.0, 0.3, 1.0] {
            let state = segment.at(part);
            assert!((state.position - 1.0 - 0.5 * part).abs() < 1e-12);
            assert!((state.velocity - 0.5).abs() < 1e-12 && state.acceleration.abs() < 1e-12);
        }
    }

    #[test]
    fn the_slope_is_exact_for_parabolas_and_zero_where_the_motion_turns() {
        assert!((slope(1.0, 3.0) - 2.0).abs() < 1e-12, "x² at 1");
        assert_eq!((slope(1.0, -1.0), slope(0.0, 2.0)), (0.0, 0.0));
        assert!((slope(-0.1, -3.0) + 0.3).abs() < 1e-12, "limited");
    }

    proptest! {
        #[test]
        fn actions_are_met_and_never_passed(actions in prop::array::uniform4(-2.0_f64..2.0), part in 0.0_f64..1.0) {
            let [before, from, to, after] = actions;
            let segment = Segment {
                from, to,
                slope_from: slope(from - before, to - from),
                slope_to: slope(to - from, after - to),
            };
            prop_assert!((segment.at(0.0).position - from).abs() < 1e-12);
            prop_assert!((segment.at(1.0).position - to).abs() < 1e-12);
            prop_assert!((segment.at(1.0).velocity - segment.slope_to).abs() < 1e-9);
            let position = segment.at(part).position;
            prop_assert!(position >= from.min(to) - 1e-9 && position <= from.max(to) + 1e-9, "{position}");
            let ahead = segment.at(part + 1e-6).position;
            prop_assert!(((ahead - position) / 1e-6 - segment.at(part).velocity).abs() < 1e-3);
        }
    }
}
