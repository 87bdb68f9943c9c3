//! How far a joint still goes until it can stand.

use super::JointState;

/// How much further in the positive sense a joint goes that brakes from now on with jerk `jerk` and at most `deceleration`;
/// 0 if it goes no further. Only velocity and acceleration of the state matter.
pub(super) fn stopping_distance(state: &JointState, deceleration: f64, jerk: f64) -> f64 {
    let velocity = state.velocity;
    let acceleration = state.acceleration.max(-deceleration);
    if acceleration > 0.0 {
        // First the acceleration has to go.
        let time = acceleration / jerk;
        let fastest = velocity + acceleration * time / 2.0;
        if fastest <= 0.0 {
            return 0.0;
        }
        let way = time * (velocity + time * (acceleration / 2.0 - time * jerk / 6.0));
        return (way + from_steady(fastest, deceleration, jerk)).max(0.0);
    }
    if velocity <= 0.0 {
        return 0.0;
    }
    let time = -acceleration / jerk;
    if velocity <= -acceleration * time / 2.0 {
        // It stands before the deceleration can be taken back, and turns round.
        let root = (acceleration * acceleration - 2.0 * jerk * velocity).max(0.0).sqrt();
        let time = (-acceleration - root) / jerk;
        return time * (velocity + time * (acceleration / 2.0 + time * jerk / 6.0));
    }
    // The same as braking from a steady motion that began to brake a little earlier.
    let steady = velocity - acceleration * time / 2.0;
    from_steady(steady, deceleration, jerk) - time * (steady - time * time * jerk / 6.0)
}

/// A cheap bound on [`stopping_distance`] in either sense, without its roots.
///
/// With v the speed once the acceleration is gone, the ways of both branches of `from_steady` are at most v²/2d + v d/2J (the first
/// by the inequality of the means), and the way until then is at most v a/J.
pub(super) fn stopping_bound(state: &JointState, deceleration: f64, jerk: f64) -> f64 {
    let acceleration = state.acceleration.abs();
    let speed = state.velocity.abs() + acceleration * acceleration / (2.0 * jerk);
    speed * (acceleration / jerk + speed / (2.0 * deceleration) + deceleration / (2.0 * jerk))
}

/// The same from a steady motion: velocity falls symmetrically, so the way is the mean velocity times the time.
fn from_steady(velocity: f64, deceleration: f64, jerk: f64) -> f64 {
    let time = if velocity * jerk < deceleration * deceleration {
        2.0 * (velocity / jerk).sqrt()
    } else {
        velocity / deceleration + deceleration / jerk
    };
    velocity * time / 2.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DECELERATION: f64 = 10.0;
    const JERK: f64 = 100.0;

    /// How far it goes when it is braked in steps of 10 µs.
    fn braked(mut state: JointState) -> f64 {
        let (step, mut furthest) = (1e-5_f64, 0.0_f64);
        state.position = 0.0;
        for _ in 0..200_000 {
            let taken_back = -state.acceleration.min(0.0) * -state.acceleration.min(0.0) / (2.0 * JERK);
            if state.velocity <= 0.0 && state.acceleration <= 0.0 {
                break;
            }
            let jerk = if state.acceleration < 0.0 && state.velocity <= taken_back {
                JERK
            } else if state.acceleration <= -DECELERATION {
                0.0
            } else {
                -JERK
            };
            state.position += step * (state.velocity + step * state.acceleration / 2.0);
            state.velocity += step * (state.acceleration + step * jerk / 2.0);
            state.acceleration += step * jerk;
            furthest = furthest.max(state.position);
        }
        furthest
    }

    #[test]
    fn a_steady_motion_stops_within_known_ways() {
        // 1.5 rad/s: 0.15 s at 10 rad/s² and 0.1 s for the jerk; half of 1.5 rad/s for 0.25 s.
        let fast = JointState { position: 0.0, velocity: 1.5, acceleration: 0.0 };
        assert!((stopping_distance(&fast, DECELERATION, JERK) - 0.1875).abs() < 1e-12);
        let slow = JointState { velocity: 0.25, ..fast };
        assert!((stopping_distance(&slow, DECELERATION, JERK) - 0.0125).abs() < 1e-12);
        assert_eq!(stopping_distance(&JointState { velocity: -1.0, ..fast }, DECELERATION, JERK), 0.0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn agrees_with_braking_in_small_steps(velocity in -1.0_f64..1.5, acceleration in -10.0_f64..10.0) {
            let state = JointState { position: 0.0, velocity, acceleration };
            let (found, expected) = (stopping_distance(&state, DECELERATION, JERK), braked(state));
            prop_assert!((found - expected).abs() < 2e-4, "{found}, braked in steps {expected}");
        }

        #[test]
        fn is_never_above_its_bound(velocity in -3.0_f64..3.0, acceleration in -20.0_f64..20.0) {
            let state = JointState { position: 0.0, velocity, acceleration };
            let bound = stopping_bound(&state, DECELERATION, JERK);
            for state in [state, JointState { velocity: -velocity, acceleration: -acceleration, ..state }] {
                prop_assert!(stopping_distance(&state, DECELERATION, JERK) <= bound, "above {bound}");
            }
        }
    }
}
