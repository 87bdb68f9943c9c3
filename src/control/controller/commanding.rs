//! From what a tick wants to a command inside all bounds.

use crate::types::{JointAngles, JointCommand, Timestamp};

use super::{Aim, Controller, GoalBounds, JointBounds, Lead, Phase, StopKind, WrittenGoal};

/// During the ramp the servos' own profile may go so much faster than the ramp, to keep up with it.
const RAMP_SERVO_MARGIN: f64 = 2.0;

impl Controller {
    /// A command inside all bounds, when the link takes one now.
    pub(super) fn command(&mut self, aim: Aim, now: Timestamp, link_ready: bool) -> Option<JointCommand> {
        let written = self.written?;
        let sound = !matches!(aim, Aim::Towards(pose) if !pose.is_finite());
        if !link_ready || self.outstanding.is_some() || !sound {
            return None;
        }
        let (goal, target) = match aim {
            Aim::Repeat => (written.goal, written.goal),
            Aim::Brake => {
                let goal = written.braking(now, self.deceleration_rad_s2(), &self.goal_limits(&written.goal));
                (goal, goal)
            }
            Aim::Towards(pose) => (self.bounded(&written, &pose, now), pose),
        };
        let command = JointCommand {
            sequence: self.next_command,
            tick: self.report.ticks,
            goal,
            servo_speed_rad_s: self.servo_speed_rad_s(),
        };
        self.next_command += 1;
        self.report.commands += 1;
        self.outstanding = Some((command, target, now));
        Some(command)
    }

    /// The next goal towards `pose`: inside limits, workspace, step, velocity, acceleration and lead.
    fn bounded(&mut self, written: &WrittenGoal, pose: &JointAngles, now: Timestamp) -> JointAngles {
        let parameters = &self.parameters;
        let limits = self.goal_limits(&written.goal);
        let lead = self.history.newest().map(|newest| Lead {
            measured: newest.angles,
            limit_rad: parameters.lead_limit_rad,
            deceleration_rad_s2: parameters.stop_deceleration_rad_s2,
        });
        let bounds = GoalBounds {
            limits,
            velocity_rad_s: parameters.max_velocity_rad_s * self.speed_share(),
            acceleration_rad_s2: parameters.max_acceleration_rad_s2,
            lead,
        };
        let (goal, limited) = written.towards(pose, now, &bounds);
        let counts = &mut self.report.gate;
        counts.step += u64::from(limited.step);
        counts.velocity += u64::from(limited.velocity);
        counts.acceleration += u64::from(limited.acceleration);
        counts.lead += u64::from(limited.lead);
        goal
    }

    /// How hard the arm brakes: gently at a normal end.
    fn deceleration_rad_s2(&self) -> f64 {
        match self.phase {
            Phase::Easing(cause) if cause.kind() == StopKind::Normal => {
                self.parameters.max_acceleration_rad_s2
            }
            _ => self.parameters.stop_deceleration_rad_s2,
        }
    }

    /// Where goals may be: inside the joint limits, and inside the trained range while the policy is in charge. A start pose
    /// outside the trained range may only be left towards it.
    fn goal_limits(&self, goal: &JointAngles) -> JointBounds {
        let limits = self.parameters.joint_limits;
        match (&self.parameters.trained_range, self.phase) {
            (Some(range), Phase::Running | Phase::Easing(_)) => range.within(&limits).reaching(goal),
            _ => limits,
        }
    }

    /// The share of full speed that the policy may use: the first chunk is played gently.
    fn speed_share(&self) -> f64 {
        let gentle = matches!(self.phase, Phase::Running) && self.chunks_since_start <= 1;
        if gentle { self.parameters.first_chunk_speed } else { 1.0 }
    }

    fn servo_speed_rad_s(&self) -> f64 {
        match self.phase {
            Phase::Ramping | Phase::Parking(_) => self.parameters.ramp_speed_rad_s * RAMP_SERVO_MARGIN,
            _ => self.parameters.servo_speed_rad_s * self.speed_share(),
        }
    }
}
