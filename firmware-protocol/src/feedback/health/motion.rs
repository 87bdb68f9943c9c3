//! Do joints go where they were told to?

use core::time::Duration;

use super::finding::Finding;
use super::generation::DetectedFirmware;
use super::options::HealthOptions;
use super::sets::JointSet;
use crate::steps::STEP_RAD;
use crate::{Feedback, Generation, Joint, TorqueSwitch, limits};

/// Where a joint was sent, and how fast.
#[derive(Clone, Copy, Debug)]
struct Goal {
    angle_rad: f64,
    speed_rad_per_s: f64,
    /// Infinite without a ramp.
    acceleration_rad_per_s2: f64,
}

/// A joint as seen so far.
#[derive(Clone, Copy, Debug)]
struct Seen {
    goal: Option<Goal>,
    /// Where it last stood still, and since when.
    anchor_rad: f64,
    anchor_since: Duration,
    /// Since when it has been away from its goal on this side, and the slowest goal of that time.
    demand: Option<Demand>,
    /// It should have moved by now, and did not.
    overdue: bool,
    /// It should have moved in the time in which nothing in the frames changed.
    frozen: bool,
    pushing: bool,
}

#[derive(Clone, Copy, Debug)]
struct Demand {
    since: Duration,
    upwards: bool,
    slowest: Goal,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Motion {
    joints: [Seen; 6],
    /// The last frame, and since when nothing in it has changed.
    last: Option<(Feedback, Duration)>,
}

/// How far a joint gets from rest in a time, rad.
fn travel_rad(goal: &Goal, time_s: f64) -> f64 {
    let ramp_s = goal.speed_rad_per_s / goal.acceleration_rad_per_s2; // 0 without a ramp
    if time_s < ramp_s {
        0.5 * goal.acceleration_rad_per_s2 * time_s * time_s
    } else {
        goal.speed_rad_per_s * (time_s - 0.5 * ramp_s)
    }
}

/// How far outside an angle is of everything that the goal may have become by clamping, rad, signed towards the goal.
fn error_rad(joint: Joint, goal_rad: f64, angle_rad: f64, detected: Option<DetectedFirmware>) -> f64 {
    let possible: &[Generation] = match detected {
        Some(DetectedFirmware::G1) => &[Generation::G1, Generation::G1b],
        Some(DetectedFirmware::G3) => &[Generation::G3],
        Some(DetectedFirmware::G2OrG3) | None => &Generation::ALL,
    };
    let clamped = possible.iter().map(|&generation| limits::joint_range(generation, joint).clamp(goal_rad));
    let (low, high) =
        clamped.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), goal| (low.min(goal), high.max(goal)));
    if angle_rad < low {
        low - angle_rad
    } else if angle_rad > high {
        high - angle_rad
    } else {
        0.0
    }
}

impl Motion {
    pub(super) const fn new() -> Self {
        let seen = Seen {
            goal: None,
            anchor_rad: f64::NAN,
            anchor_since: Duration::ZERO,
            demand: None,
            overdue: false,
            frozen: false,
            pushing: false,
        };
        Self { joints: [seen; 6], last: None }
    }

    /// A goal was written.
    pub(super) fn goal(
        &mut self,
        joint: Joint,
        angle_rad: f64,
        speed_steps_per_s: f64,
        acceleration_rad_per_s2: f64,
    ) {
        let goal = Goal { angle_rad, speed_rad_per_s: speed_steps_per_s * STEP_RAD, acceleration_rad_per_s2 };
        let seen = &mut self.joints[joint.index()];
        seen.goal = Some(goal);
        if let Some(demand) = &mut seen.demand {
            demand.slowest.speed_rad_per_s = demand.slowest.speed_rad_per_s.min(goal.speed_rad_per_s);
            demand.slowest.acceleration_rad_per_s2 =
                demand.slowest.acceleration_rad_per_s2.min(goal.acceleration_rad_per_s2);
        }
    }

    /// What joints were told is no longer known.
    pub(super) fn forget_goals(&mut self) {
        for seen in &mut self.joints {
            (seen.goal, seen.demand, seen.overdue) = (None, None, false);
        }
    }

    pub(super) fn frame(
        &mut self,
        at: Duration,
        feedback: &Feedback,
        detected: Option<DetectedFirmware>,
        options: &HealthOptions,
    ) {
        let same =
            self.last.filter(|(last, _)| last.angles == feedback.angles && last.loads == feedback.loads);
        let same_since = same.map_or(at, |(_, since)| since);
        self.last = Some((*feedback, same_since));
        let angles = feedback.angles.to_array();
        for joint in Joint::ALL {
            let (seen, angle_rad) = (&mut self.joints[joint.index()], angles[joint.index()]);
            // Written so that the first frame, without an anchor, counts as motion.
            let still = (angle_rad - seen.anchor_rad).abs() <= options.still_rad;
            if !still {
                (seen.anchor_rad, seen.anchor_since) = (angle_rad, at);
            }
            seen.pushing =
                feedback.loads[joint.index()].is_some_and(|load| load.unsigned_abs() >= options.pushing_load);
            let limp =
                feedback.torque_switches[joint.index()].is_some_and(|switch| switch != TorqueSwitch::On);
            let watched = joint != Joint::Hand || options.watch_hand;
            let goal = seen.goal.filter(|_| watched && !limp);
            let wanted = goal.map(|goal| (goal, error_rad(joint, goal.angle_rad, angle_rad, detected)));
            seen.demand =
                wanted.filter(|(_, error)| error.abs() > options.goal_error_rad).map(|(goal, error)| {
                    let upwards = error > 0.0;
                    let going_on = seen.demand.filter(|demand| demand.upwards == upwards);
                    going_on.unwrap_or(Demand { since: at, upwards, slowest: goal })
                });
            let overdue_since = |since: Duration| {
                seen.demand.is_some_and(|demand| {
                    let waited = at.saturating_sub(demand.since.max(since));
                    let time_s = waited.saturating_sub(options.reaction).as_secs_f64();
                    travel_rad(&demand.slowest, time_s) >= options.overdue_rad
                })
            };
            (seen.overdue, seen.frozen) = (overdue_since(seen.anchor_since), overdue_since(same_since));
        }
    }

    pub(super) fn finding(&self) -> Option<Finding> {
        let joints = JointSet::of(|joint| self.joints[joint.index()].overdue);
        if joints.is_empty() {
            return None;
        }
        let seen = |joint: Joint| &self.joints[joint.index()];
        // A joint that pushes against something may also keep its frame unchanged.
        let frozen =
            joints.iter().all(|joint| seen(joint).frozen) && joints.iter().any(|joint| !seen(joint).pushing);
        Some(if frozen { Finding::FrozenFeedback { joints } } else { Finding::JointsNotMoving { joints } })
    }
}
