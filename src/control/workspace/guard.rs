//! The gate's rule on where commands may lead.

use std::time::Duration;

use calibration::collision::{ArmCapsules, Clearances, PoseRefused, Workspace};

use super::WorkspaceReason;
use crate::control::limiter::WrittenGoal;
use crate::control::parameters::JointBounds;
use crate::types::{JointAngles, Timestamp};

/// Judges commands by where the arm would come to rest after them.
#[derive(Clone, Debug)]
pub(in crate::control) struct WorkspaceGuard {
    workspace: Workspace,
    arm: ArmCapsules,
    refused_since: Option<Timestamp>,
}

/// A stop's deceleration and where goals may be: what a braking arm keeps to.
#[derive(Clone, Copy, Debug)]
pub(in crate::control) struct Braking {
    pub(in crate::control) deceleration_rad_s2: f64,
    pub(in crate::control) limits: JointBounds,
}

impl WorkspaceGuard {
    pub(in crate::control) fn new(workspace: Workspace) -> Self {
        Self { workspace, arm: ArmCapsules::default(), refused_since: None }
    }

    /// Whether `goal` may be written at `now`: the arm must be able to come to rest inside the workspace afterwards. From where a
    /// rule is broken already, only motion that does not make it worse is allowed.
    ///
    /// The goal itself is judged too, unless the place of rest has more room than lies between the two. Between them a braking arm
    /// leaves the straight line in joint space by no more than 3 mm (its joints come to rest one after another: at 1.5 rad/s and
    /// 15 rad/s² they travel 75 mrad), which the margins have to cover.
    pub(in crate::control) fn check(
        &self,
        written: &WrittenGoal,
        goal: &JointAngles,
        now: Timestamp,
        braking: &Braking,
    ) -> Result<(), WorkspaceReason> {
        let Braking { deceleration_rad_s2, limits } = braking;
        let resting = written.resting_place(goal, now, *deceleration_rad_s2, limits);
        let at_rest = self.clearances(&resting)?;
        let room_m = at_rest.room_m();
        // Written so that a NaN counts as no room.
        let enough = room_m >= 0.0;
        if !enough {
            // What a refusal leads to instead: braking from the last written goal on.
            let otherwise = written.resting_place_now(*deceleration_rad_s2, limits);
            at_rest.check_leaving(&self.clearances(&otherwise)?)?;
        }
        let within_room = self.arm.travel_bound_m(goal, &resting) <= room_m;
        if !within_room {
            let there = self.clearances(goal)?;
            let enough = there.room_m() >= 0.0;
            if !enough {
                there.check_leaving(&self.clearances(&written.goal)?)?;
            }
        }
        Ok(())
    }

    /// Takes note of a judgement; refusals in a row are timed.
    pub(in crate::control) fn note(&mut self, refused: bool, now: Timestamp) {
        if !refused {
            self.refused_since = None;
        } else if self.refused_since.is_none() {
            self.refused_since = Some(now);
        }
    }

    /// Whether commands have been refused for so long that it is no use going on.
    pub(in crate::control) fn is_exhausted(&self, now: Timestamp, patience: Duration) -> bool {
        self.refused_since.is_some_and(|since| now.since(since) > patience)
    }

    fn clearances(&self, pose: &JointAngles) -> Result<Clearances, PoseRefused> {
        Ok(self.workspace.clearances(&self.arm.place(pose)?))
    }
}
