//! The rules, held against what was sent and what reached the board.

use crate::control::{ControlParameters, Phase, StopKind};
use crate::types::{JOINT_COUNT, JointAngles, Timestamp};

use super::rig::{Rig, Sent};

/// Half a unit of the last of the four decimals on the wire.
const WIRE_RAD: f64 = 0.5e-4 + 1e-9;
/// A goal moves no further at once than top speed does in this time.
const LONGEST_STEP_S: f64 = 0.08;
const SMALL: f64 = 1e-9;
/// Goals that move slower stand, rad.
const STANDS_RAD: f64 = 1e-9;

/// Every rule on everything that was sent.
pub(super) fn judge(rig: &mut Rig, parameters: &ControlParameters) {
    reached_the_board(rig);
    inside_the_limits(rig, parameters);
    moves_within_bounds(&rig.sent, parameters);
    latched(rig);
    stops_in_time(rig, parameters);
}

/// The board's log holds what the core made, in order, finite, to the last decimal of the wire.
fn reached_the_board(rig: &mut Rig) {
    let received = rig.received_goals();
    // The last ones may be under way.
    assert!(received.len() <= rig.sent.len() && received.len() + 3 >= rig.sent.len(), "lines were lost");
    for (goal, sent) in received.iter().zip(&rig.sent) {
        assert!(goal.is_finite());
        assert!(goal.max_difference(&sent.command.command.goal) <= WIRE_RAD, "{goal:?} is not {sent:?}");
    }
}

/// Goals stay inside what the board accepts, and inside the trained range once they are there.
fn inside_the_limits(rig: &Rig, parameters: &ControlParameters) {
    let limits = &parameters.joint_limits;
    let mut inside_trained = false;
    for sent in &rig.sent {
        let goal = &sent.command.command.goal;
        assert!(limits.clamp(goal).max_difference(goal) <= SMALL, "{sent:?} leaves the limits");
        if let Some(range) = parameters.trained_bounds() {
            let inside = range.clamp(goal).max_difference(goal) <= SMALL;
            let policy = matches!(sent.phase, Phase::Running);
            assert!(!(policy && inside_trained) || inside, "{sent:?} leaves the trained range");
            inside_trained = inside;
        }
    }
}

/// Step, velocity, acceleration and lead between each command and the one written before it.
fn moves_within_bounds(sent: &[Sent], parameters: &ControlParameters) {
    let mut velocity_before = [0.0_f64; JOINT_COUNT];
    let mut before: Option<&Sent> = None;
    for one in sent {
        let goal = one.command.command.goal;
        let Some(last) = before.replace(one).filter(|_| !one.first_of_ramp) else {
            starts_where_it_stands(one, parameters);
            velocity_before = [0.0; JOINT_COUNT];
            continue;
        };
        assert_eq!(one.connection, last.connection, "motion goes on over a lost link: {one:?}");
        let elapsed_s = one.command.written.seconds_since(last.command.written);
        let (from, to) = (last.command.command.goal.to_array_rad(), goal.to_array_rad());
        let stopping = parameters.stop_deceleration_rad_s2;
        let stop = matches!(one.phase, Phase::Easing(cause) | Phase::Holding(cause) | Phase::Stopped(cause)
            if cause.kind() != StopKind::Normal);
        let acceleration = if stop || one.held_back { stopping } else { parameters.max_acceleration_rad_s2 };
        for joint in 0..JOINT_COUNT {
            let step = to[joint] - from[joint];
            let velocity = step / elapsed_s;
            let top = parameters.max_velocity_rad_s;
            assert!(velocity.abs() <= top * (1.0 + 1e-6), "joint {joint}: {velocity} rad/s in {one:?}");
            // A stop of a fast arm after a pause brakes over a longer step than any other motion makes.
            let longest = (top * LONGEST_STEP_S)
                .max((velocity_before[joint].abs() - acceleration * elapsed_s) * elapsed_s);
            assert!(step.abs() <= longest + SMALL, "joint {joint}: a step of {step} in {one:?}");
            let change = velocity - velocity_before[joint];
            assert!(
                change.abs() <= acceleration * elapsed_s * (1.0 + 1e-6) + SMALL,
                "joint {joint}: from {} to {velocity} rad/s in {elapsed_s} s: {one:?}",
                velocity_before[joint]
            );
            if let Some(measured) = one.measured {
                let lead = to[joint] - measured.to_array_rad()[joint];
                let away = lead.signum();
                let hardest = (away * velocity_before[joint] - acceleration * elapsed_s).max(0.0);
                assert!(
                    lead.abs() <= parameters.lead_limit_rad[joint] + SMALL
                        || away * velocity <= hardest + 1e-6,
                    "joint {joint}: {lead} ahead and still at {velocity} rad/s (before: {}): {one:?}",
                    velocity_before[joint]
                );
            }
            velocity_before[joint] = velocity;
        }
    }
}

/// The first command after a standstill is where the arm stands, up to its sag.
fn starts_where_it_stands(first: &Sent, parameters: &ControlParameters) {
    let measured = first.measured.expect("nothing moves before feedback").to_array_rad();
    let goal = first.command.command.goal.to_array_rad();
    for joint in 0..JOINT_COUNT {
        // 0.05: so far outside the limits an arm may stand and be brought back.
        let allowed = parameters.lead_limit_rad[joint] + 0.05;
        assert!(
            (goal[joint] - measured[joint]).abs() <= allowed,
            "joint {joint}: the first motion jumps: {first:?}"
        );
    }
}

/// After a stop goals come to rest and stay there until a reset and a new consent; after the end nothing is sent.
fn latched(rig: &Rig) {
    let mut held: Option<JointAngles> = None;
    for sent in &rig.sent {
        let goal = sent.command.command.goal;
        match sent.phase {
            Phase::Holding(_) | Phase::Stopped(_) => {
                let still = held.get_or_insert(goal);
                assert!(still.max_difference(&goal) <= STANDS_RAD, "it moves while it is stopped: {sent:?}");
            }
            Phase::Ramping if sent.first_of_ramp => held = None,
            Phase::Running | Phase::Ramping | Phase::Parking(_) => {
                assert!(held.is_none(), "it moves again without consent: {sent:?}");
            }
            Phase::Easing(_) => assert!(held.is_none(), "it eases after it stood: {sent:?}"),
            Phase::Settling | Phase::AwaitingGo(_) | Phase::Disconnected | Phase::Ended(_) => {
                panic!("nothing may be sent in this phase: {sent:?}")
            }
        }
    }
    // A latched stop is left by the end, or by a reset that leads to settling.
    for pair in rig.phases.windows(2) {
        if let (Phase::Stopped(_), next) = (pair[0].1, pair[1].1) {
            assert!(matches!(next, Phase::Settling | Phase::Ended(_)), "{pair:?}");
        }
        assert!(!matches!(pair[0].1, Phase::Ended(_)), "the end is no end: {pair:?}");
    }
}

/// From the stop to goals at rest: no longer than braking takes, and what the link lets pass.
fn stops_in_time(rig: &Rig, parameters: &ControlParameters) {
    let mut since: Option<(Timestamp, Phase)> = None;
    for (place, (at, phase)) in rig.phases.iter().enumerate() {
        if let Some((from, Phase::Easing(cause))) = since.take() {
            let deceleration = match cause.kind() {
                StopKind::Normal => parameters.max_acceleration_rad_s2,
                StopKind::Protective | StopKind::Emergency => parameters.stop_deceleration_rad_s2,
            };
            let mut allowed_s = parameters.max_velocity_rad_s / deceleration + rig.link_delay_s();
            if let crate::control::EndCause::NotFollowing { .. } = cause {
                // It goes back by no more than the lead limit (25° for the gripper): accelerate, brake, and the braking curve's end.
                allowed_s += 1.5;
            }
            if place > 0 && rig.silent.contains(&(place - 1)) {
                // Without frames the link passes nothing; the core waits for 3 s.
                allowed_s += 3.0;
            }
            let took = at.seconds_since(from);
            assert!(took <= allowed_s, "{cause:?} took {took} s to {phase:?}, allowed: {allowed_s}");
        }
        since = Some((*at, *phase));
    }
}
