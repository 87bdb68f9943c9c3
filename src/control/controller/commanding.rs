//! From what a tick wants to a command inside all bounds.

use crate::types::{JointAngles, JointCommand, ServoProfile, Timestamp};

use super::{Aim, Controller, GoalBounds, JointBounds, Lead, Phase, StopKind, WrittenGoal};

impl Controller {
    /// A command inside all bounds, when the link takes one now.
    pub(super) fn command(&mut self, aim: Aim, now: Timestamp, link_ready: bool) -> Option<JointCommand> {
        let written = self.written?;
        let sound = !matches!(aim, Aim::Towards(pose) if !pose.is_finite());
        if !link_ready || self.outstanding.is_some() {
            return None;
        }
        if !sound {
            self.report.gate.finite += 1;
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
            profile: self.servo_profile(&written, &goal, now),
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
        self.inside_workspace(written, goal, now)
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
    pub(super) fn goal_limits(&self, goal: &JointAngles) -> JointBounds {
        let limits = self.parameters.joint_limits;
        match (self.parameters.trained_bounds(), self.phase) {
            (Some(range), Phase::Running | Phase::Easing(_)) => range.within(&limits).reaching(goal),
            _ => limits,
        }
    }

    /// The share of full speed that the policy may use: the first chunk is played gently.
    pub(super) fn speed_share(&self) -> f64 {
        let gentle = matches!(self.phase, Phase::Running) && self.chunks_since_start <= 1;
        if gentle { self.parameters.first_chunk_speed } else { 1.0 }
    }

    /// What the servos are told: to glide after moving goals, and in a stop to brake as hard as they may.
    fn servo_profile(&mut self, written: &WrittenGoal, goal: &JointAngles, now: Timestamp) -> ServoProfile {
        let most = &self.parameters.servo_profile;
        let derived = self.servo_pace.next(&written.goal, goal, now.seconds_since(written.written), most);
        match self.phase {
            Phase::Ramping | Phase::Running | Phase::Parking(_) => derived,
            _ => ServoProfile { acceleration_rad_s2: most.acceleration_rad_s2, ..derived },
        }
    }
}
