//! From an arm that stands to a policy in charge: the first motion, and the first one after a lost link.

use std::time::Duration;

use crate::types::{JointAngles, LinkStatus, Timestamp};

use super::{
    Aim, Controller, EndCause, Phase, Ramp, STILL_BEFORE_MOTION, STILL_TOLERANCE_RAD, StartProposal,
    WrittenGoal,
};

/// An arm that does not come to rest within this time ends the run.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(60);
/// After the ramp the arm must stand for so long before the first observation.
const STILL_AFTER_RAMP: Duration = Duration::from_millis(300);
/// An arm that trembles at the start pose is let go on after this time.
const RAMP_SETTLE_TIMEOUT: Duration = Duration::from_secs(3);
/// So far outside its limits an arm may stand and still be brought back: the firmware clamps what lies outside, so from
/// further away the way back could not be slow.
const OUTSIDE_TOLERANCE_RAD: f64 = 0.05;

impl Controller {
    pub(super) fn settle(&mut self, now: Timestamp, still: bool) {
        if let (true, Some(newest)) = (still, self.history.newest()) {
            let (measured, limits) = (newest.angles, self.parameters.joint_limits);
            if let Some(joint) = limits.furthest_outside(&measured, OUTSIDE_TOLERANCE_RAD) {
                return self.enter(Phase::Ended(EndCause::OutsideLimits { joint }), now);
            }
            let from = self.first_goal(&measured);
            let to = limits.clamp(&self.resume_at.or(self.parameters.start_pose).unwrap_or(from));
            let duration = Ramp::new(from, to, now, self.parameters.ramp_speed_rad_s).duration();
            self.proposals += 1;
            let number = self.proposals;
            let resumes = self.resume_at.is_some();
            let proposal = StartProposal { number, measured, from, to, duration, resumes };
            self.enter(Phase::AwaitingGo(proposal), now);
        } else if self.in_phase(now) > SETTLE_TIMEOUT {
            self.enter(Phase::Ended(EndCause::NotStill), now);
        }
    }

    /// The goal to begin with: one that is still held stays; an arm that lost its goal is held where it stands, and its gripper as it
    /// was.
    fn first_goal(&self, measured: &JointAngles) -> JointAngles {
        let limit_rad = &self.parameters.lead_limit_rad;
        let held = self.written.filter(|_| !self.goal_forgotten).map(|written| written.goal).filter(|goal| {
            let (goal, measured) = (goal.to_array_rad(), measured.to_array_rad());
            (0..goal.len()).all(|joint| (goal[joint] - measured[joint]).abs() <= limit_rad[joint])
        });
        let goal = held.unwrap_or_else(|| match &self.written {
            Some(written) => self.sag.hold(measured, Some(&written.goal), limit_rad),
            None => *measured,
        });
        self.parameters.joint_limits.clamp(&goal)
    }

    pub(super) fn await_go(
        &mut self,
        proposal: &StartProposal,
        go: Option<u32>,
        now: Timestamp,
    ) -> Option<Aim> {
        if !self.proposal_holds(proposal, now) {
            self.watch_stillness(STILL_BEFORE_MOTION);
            self.enter(Phase::Settling, now);
            return None;
        }
        if go != Some(proposal.number) {
            return None;
        }
        let measured = self.history.newest().map_or(proposal.measured, |newest| newest.angles);
        let from = self.first_goal(&measured);
        self.begin_ramp(from, proposal.to, now);
        // The first command of a run is where the arm stands already.
        Some(Aim::Towards(from))
    }

    /// Whether the arm still stands where the proposal begins, and says so.
    fn proposal_holds(&self, proposal: &StartProposal, now: Timestamp) -> bool {
        self.history.newest().is_some_and(|newest| {
            now.since(newest.measured) <= self.parameters.max_feedback_age
                && newest.angles.max_difference(&proposal.measured)
                    <= STILL_TOLERANCE_RAD + OUTSIDE_TOLERANCE_RAD
        })
    }

    fn begin_ramp(&mut self, from: JointAngles, to: JointAngles, now: Timestamp) {
        self.torque_seen = false;
        self.goal_forgotten = false;
        self.written = Some(WrittenGoal::at_rest(from, now));
        self.ramp = Some(Ramp::new(from, to, now, self.parameters.ramp_speed_rad_s));
        self.watch_stillness(STILL_AFTER_RAMP);
        self.enter(Phase::Ramping, now);
    }

    pub(super) fn ramp(&mut self, now: Timestamp, still: bool) -> Option<Aim> {
        let ramp = self.ramp?;
        if self.has_arrived(&ramp, now, still) {
            self.player.start(self.held(), now);
            self.chunks_since_start = 0;
            self.resume_at = None;
            self.running_since.get_or_insert(now);
            self.enter(Phase::Running, now);
        }
        Some(Aim::Towards(ramp.pose(now)))
    }

    /// Whether a ramp is over and the arm rests at its end.
    pub(super) fn has_arrived(&self, ramp: &Ramp, now: Timestamp, still: bool) -> bool {
        let rested = still || self.in_phase(now) > ramp.duration().saturating_add(RAMP_SETTLE_TIMEOUT);
        ramp.is_over(now) && rested
    }

    /// Waits for the link, and then starts as at the beginning: the way back to where the link was lost is proposed once the arm
    /// stands still.
    ///
    /// The arm may have moved: a board that was reset drives to its own first pose. Nothing that was planned before is used.
    pub(super) fn reconnect(&mut self, now: Timestamp, link: &LinkStatus) {
        if link.connected {
            self.connection = link.connection;
            self.watch_stillness(STILL_BEFORE_MOTION);
            self.enter(Phase::Settling, now);
        }
    }
}
