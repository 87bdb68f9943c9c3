//! The workspace, the joints that follow, and the policy that gets on: what the gate asks in every tick.

use crate::types::{FeedbackSample, FrameSet, Joint, JointAngles, Timestamp};

use super::{Braking, Controller, EndCause, Phase, PlateauAction, WrittenGoal};

impl Controller {
    /// `goal`, if the arm can come to rest inside the workspace after it; else the goal that brakes, with the gripper going on by
    /// itself where that alone is allowed: a hand held over the table may still close.
    pub(super) fn inside_workspace(
        &mut self,
        written: &WrittenGoal,
        goal: JointAngles,
        now: Timestamp,
    ) -> JointAngles {
        // A stop may go back to where the arm stands, wherever that is.
        if matches!(self.phase, Phase::Easing(_)) {
            return goal;
        }
        let limits = self.goal_limits(&written.goal);
        let deceleration_rad_s2 = self.parameters.stop_deceleration_rad_s2;
        let braking = Braking { deceleration_rad_s2, limits };
        let Err(reason) = self.workspace.check(written, &goal, now, &braking) else {
            self.workspace.note(false, now);
            return goal;
        };
        self.workspace.note(true, now);
        self.report.gate.workspace.add(reason);
        let braked = written.braking(now, deceleration_rad_s2, &limits);
        let mut gripping = braked;
        gripping.set(Joint::Gripper, goal.get(Joint::Gripper));
        if self.workspace.check(written, &gripping, now, &braking).is_ok() { gripping } else { braked }
    }

    /// A joint that stays far from its goal.
    pub(super) fn does_not_follow(&mut self, sample: Option<&FeedbackSample>) -> Option<EndCause> {
        let (sample, written) = (sample.filter(|sample| super::is_possible(&sample.angles))?, self.written?);
        let (error_rad, time) = (self.parameters.tracking_error_rad, self.parameters.tracking_time);
        let joint = self.tracking.observe(&written.goal, sample, error_rad, time)?;
        self.report.gate.tracking += 1;
        Some(EndCause::NotFollowing { joint })
    }

    /// A camera that shows the same picture again and again.
    pub(super) fn shows_the_past(&mut self, frames: &FrameSet) -> Option<EndCause> {
        let slot = self.pictures.observe(frames)?;
        if let Some(count) = self.report.frozen_pictures.get_mut(slot) {
            *count += 1;
        }
        self.pictures.ends().then_some(EndCause::PictureFrozen { slot })
    }

    /// A policy that does not get on.
    pub(super) fn makes_no_progress(
        &mut self,
        now: Timestamp,
        sample: Option<&FeedbackSample>,
    ) -> Option<EndCause> {
        if !matches!(self.phase, Phase::Running) {
            return None;
        }
        let playing = self.player.is_playing();
        let goal = self.held();
        let noticed = self.progress.observe(now, playing, sample, &goal);
        self.report.plateaus += u64::from(noticed.plateau.is_some());
        self.report.gripper_idle |= noticed.gripper_idle.is_some();
        if noticed.gripper_idle == Some(true) {
            return Some(EndCause::GripperIdle);
        }
        matches!(noticed.plateau, Some(PlateauAction::Stop)).then_some(EndCause::Plateau)
    }
}
