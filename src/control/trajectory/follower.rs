//! Follows any reference inside bounds on position, velocity, acceleration and jerk.
//!
//! Ours, after a trial of `rsruckig` 3.0.1 (a port of Ruckig with a tracking interface; its `Trackig` with random targets and
//! tick times, 1.6 million ticks of six joints, bounds 1.5 rad/s, 10 rad/s², 100 rad/s³): 4 to 6 % of the ticks found no
//! trajectory and ran on along an old one, up to 1.5 rad/s above the velocity bound and beyond the position limits; five to nine
//! allocations a tick; 6 µs a tick, 25 to 31 µs at the 99th percentile; with `std` it reads the clock.
//!
//! Time advances on a fixed grid of [`GRID`], whatever the ticks do: the motion is the same function of time for any tick rate,
//! and each bound is kept by induction from grid point to grid point:
//! * velocity: the jerk is chosen so that the acceleration can always be taken back before the velocity bound is passed. From a
//!   state with v + a²/2J <= V a step at jerk -J leads to another one, exactly, also on the grid;
//! * position: no step is made after which braking would lead out of the limits. Braking then is the step, which can only
//!   shorten the way ([`stopping_distance`], computed with a little less than the bounds for what the grid costs);
//! * a limit that is passed all the same (a range too narrow to brake in) stops the joint on it.

use std::time::Duration;

use super::stopping::{stopping_bound, stopping_distance};
use super::{JointState, MotionBounds};

/// Time between two points of the grid.
pub(in super::super) const GRID: Duration = Duration::from_millis(2);
const STEP_S: f64 = 0.002;

/// Share of the bounds with which errors are made up for; the rest is left for the reference's own motion.
const CATCH_UP: f64 = 0.5;
/// How fast small errors in position and velocity fade, 1/s. Critically damped would be a quarter; a sixth leaves no overshoot.
const POSITION_GAIN: f64 = 12.0;
const VELOCITY_GAIN: f64 = 72.0;
/// Share of the bounds with which the way to a stop is computed.
const BRAKE: f64 = 0.9;
/// Between grid points velocity bulges by J t²/8 at most; this share of its bound is more than that from 0.1 rad/s on.
const VELOCITY_SHARE: f64 = 0.999;

/// One joint's follower.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Follower {
    /// At the grid point before the next one.
    before: JointState,
    /// At the next grid point.
    next: JointState,
}

impl Follower {
    /// A joint that stands.
    pub(in super::super) const fn at_rest(position: f64) -> Self {
        Self { before: JointState::at_rest(position), next: JointState::at_rest(position) }
    }

    /// Jerk between the last two grid points, rad/s³.
    pub(in super::super) fn jerk(&self) -> f64 {
        (self.next.acceleration - self.before.acceleration) / STEP_S
    }

    /// Goes on to the next grid point, towards `reference` there, between the positions `lower` and `upper`.
    ///
    /// The reference may be anything finite; one that is itself within nine tenths of the bounds is followed without delay.
    pub(in super::super) fn advance(
        &mut self,
        reference: &JointState,
        bounds: &MotionBounds,
        lower: f64,
        upper: f64,
    ) {
        let MotionBounds { velocity_rad_s, acceleration_rad_s2: most, jerk_rad_s3: jerk } = *bounds;
        let top = velocity_rad_s * VELOCITY_SHARE;
        self.before = self.next;
        let JointState { position, velocity, acceleration } = self.before;
        let change = jerk * STEP_S;

        let wanted = wanted_acceleration(&self.before, reference, bounds, top);
        let reached = velocity + acceleration * STEP_S / 2.0;
        let wanted = wanted
            .clamp(
                -highest_acceleration(top + reached, jerk),
                highest_acceleration(top - reached, jerk).max(-highest_acceleration(top + reached, jerk)),
            )
            .clamp((acceleration - change).max(-most), (acceleration + change).min(most));

        let step_to = |wanted: f64| JointState {
            position: position + STEP_S * (velocity + STEP_S * (2.0 * acceleration + wanted) / 6.0),
            velocity: reached + wanted * STEP_S / 2.0,
            acceleration: wanted,
        };
        let mut next = step_to(wanted);
        let room = (upper - next.position).min(next.position - lower);
        // Seldom: the exact ways to a stop are only needed near the limits.
        if stopping_bound(&next, BRAKE * most, BRAKE * jerk) > room {
            if next.position + further(&next, bounds) > upper {
                next = step_to((acceleration - change).max(-most));
            }
            if next.position - further(&mirrored(&next), bounds) < lower {
                next = step_to((acceleration + change).min(most));
            }
            if next.position > upper || next.position < lower {
                next = JointState::at_rest(next.position.clamp(lower, upper));
            }
        }
        self.next = next;
    }

    /// The state `part` of the way, 0 to 1, from the last grid point to the next: jerk is constant between them.
    pub(in super::super) fn between(&self, part: f64) -> JointState {
        let JointState { position, velocity, acceleration } = self.before;
        let (t, jerk) = (part.clamp(0.0, 1.0) * STEP_S, self.jerk());
        if part >= 1.0 {
            return self.next;
        }
        JointState {
            position: position + t * (velocity + t * (acceleration / 2.0 + t * jerk / 6.0)),
            velocity: velocity + t * (acceleration + t * jerk / 2.0),
            acceleration: acceleration + t * jerk,
        }
    }
}

/// What the acceleration at the next grid point should be, as if there were no bounds but a share for catching up.
///
/// The position error asks for a velocity beyond the reference's, from which that share of the acceleration brakes in time; the
/// velocity error asks for an acceleration beyond the reference's, which that share of the jerk takes back in time. Both laws
/// are square roots, as braking is, that turn into straight lines towards zero.
fn wanted_acceleration(state: &JointState, reference: &JointState, bounds: &MotionBounds, top: f64) -> f64 {
    let behind =
        reference.position - (state.position + STEP_S * (state.velocity + STEP_S * state.acceleration / 2.0));
    let velocity = state.velocity + STEP_S * state.acceleration;
    let (catching, gain) = braking_law(behind, CATCH_UP * bounds.acceleration_rad_s2, POSITION_GAIN);
    let asked = reference.velocity + catching;
    let (asked, steady) = if asked.abs() > top {
        (top.copysign(asked), 0.0)
    } else {
        (asked, reference.acceleration + gain * (reference.velocity - velocity))
    };
    let (correction, _) = braking_law(asked - velocity, CATCH_UP * bounds.jerk_rad_s3, VELOCITY_GAIN);
    steady + correction
}

/// The speed at which an error may shrink so that `braking` stops it at zero, with slope `gain` at zero; and its derivative.
fn braking_law(error: f64, braking: f64, gain: f64) -> (f64, f64) {
    let knee = braking / gain;
    let root = (knee * knee + 2.0 * braking * error.abs()).sqrt();
    ((root - knee).copysign(error), braking / root)
}

/// The highest acceleration at the next grid point after which the velocity still stays below its bound; `room` is what is left
/// to the bound before this acceleration has acted.
fn highest_acceleration(room: f64, jerk: f64) -> f64 {
    if room < 0.0 {
        return 2.0 * room / STEP_S;
    }
    let half = jerk * STEP_S / 2.0;
    (half * half + 2.0 * jerk * room).sqrt() - half
}

fn further(state: &JointState, bounds: &MotionBounds) -> f64 {
    stopping_distance(state, BRAKE * bounds.acceleration_rad_s2, BRAKE * bounds.jerk_rad_s3)
}

fn mirrored(state: &JointState) -> JointState {
    JointState { position: -state.position, velocity: -state.velocity, acceleration: -state.acceleration }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: MotionBounds =
        MotionBounds { velocity_rad_s: 1.5, acceleration_rad_s2: 10.0, jerk_rad_s3: 100.0 };
    const LIMIT: f64 = 1.0;

    /// A reference that jumps to another state each so many grid points, far beyond the limits too.
    fn references() -> impl Strategy<Value = Vec<(JointState, usize)>> {
        let state = (-3.0_f64..3.0, -4.0_f64..4.0, -30.0_f64..30.0)
            .prop_map(|(position, velocity, acceleration)| JointState { position, velocity, acceleration });
        prop::collection::vec((state, 1_usize..300), 1..12)
    }

    proptest! {
        /// Each of its own, not the gate's behind it.
        #[test]
        fn no_reference_leads_out_of_the_bounds(
            start in -0.9 * LIMIT..0.9 * LIMIT,
            references in references(),
        ) {
            let mut follower = Follower::at_rest(start);
            for (reference, points) in references {
                for _ in 0..points {
                    follower.advance(&reference, &BOUNDS, -LIMIT, LIMIT);
                    let JointState { position, velocity, acceleration } = follower.next;
                    prop_assert!(position.abs() <= LIMIT, "position {position}");
                    prop_assert!(velocity.abs() <= BOUNDS.velocity_rad_s, "velocity {velocity}");
                    let most = BOUNDS.acceleration_rad_s2 * (1.0 + 1e-9);
                    prop_assert!(acceleration.abs() <= most, "acceleration {acceleration}");
                    let jerk = follower.jerk();
                    prop_assert!(jerk.abs() <= BOUNDS.jerk_rad_s3 * (1.0 + 1e-6), "jerk {jerk}");
                }
            }
        }
    }

    #[test]
    fn a_reference_that_rests_is_reached_and_one_beyond_the_limits_is_waited_for_at_the_limit() {
        for (wanted, reached) in [(0.8, 0.8), (5.0, LIMIT), (-5.0, -LIMIT)] {
            let mut follower = Follower::at_rest(0.0);
            for _ in 0..2_000 {
                follower.advance(&JointState::at_rest(wanted), &BOUNDS, -LIMIT, LIMIT);
            }
            let JointState { position, velocity, .. } = follower.next;
            assert!(
                (position - reached).abs() < 2e-3 && velocity.abs() < 1e-2,
                "{wanted}: {position}, {velocity}"
            );
        }
    }
}
