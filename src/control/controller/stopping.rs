//! Stops: to the hold, to the park pose, and the latch.

use std::time::Duration;

use crate::types::{JointAngles, Parked, Timestamp};

use super::{
    AfterStop, Aim, Controller, EndCause, Inputs, Outputs, Phase, Ramp, STILL_BEFORE_MOTION, StopKind,
};

/// The hold is repeated for so long before the run ends …
const HOLD_BEFORE_END: Duration = Duration::from_millis(500);
/// … and so often: a line may be lost or garbled on the wire, and on a slow wire or a busy machine few go out in that time.
const HOLD_REPEATS: u64 = 10;
/// A link that takes no more commands is not waited for longer.
const HOLD_TIMEOUT: Duration = Duration::from_secs(3);
/// A hold that cannot be reached within this time (no link) ends the run as it is.
const EASE_TIMEOUT: Duration = Duration::from_secs(3);
/// After the way to the park pose the arm must stand for so long.
const STILL_AT_PARK: Duration = Duration::from_millis(500);
/// A goal on its way to the retreat that has not moved for so long is held back for good.
const STANDS_FOR: Duration = Duration::from_millis(200);
/// A pose counts as reached within this.
const REACHED_RAD: f64 = 1e-6;

impl Controller {
    /// Starts the way to the hold. A first cause is kept, unless a more urgent one follows.
    pub(super) fn begin_end(&mut self, cause: EndCause, now: Timestamp) {
        match self.phase {
            Phase::Settling | Phase::AwaitingGo(_) | Phase::Disconnected => {
                self.enter(Phase::Ended(cause), now);
            }
            Phase::Ramping | Phase::Running | Phase::Parking(_) => {
                self.player.stop();
                self.enter(Phase::Easing(cause), now);
                self.retreat = self.retreat_from(cause);
            }
            Phase::Easing(before) if before.kind() < cause.kind() => {
                self.retreat = self.retreat.or_else(|| self.retreat_from(cause));
                self.phase = Phase::Easing(cause);
            }
            Phase::Holding(before) if before.kind() < cause.kind() => self.phase = Phase::Holding(cause),
            // Somebody ends a run that is stopped already, or nothing can go on: it ends for what stopped it.
            Phase::Stopped(before) if cause.kind() == StopKind::Normal || !cause.may_reset() => {
                self.enter(Phase::Ended(before), now);
            }
            Phase::Easing(_) | Phase::Holding(_) | Phase::Stopped(_) | Phase::Ended(_) => {}
        }
    }

    /// Where an arm goes that does not follow its goal: back to where it stands, so that it presses no longer.
    fn retreat_from(&self, cause: EndCause) -> Option<JointAngles> {
        let EndCause::NotFollowing { .. } = cause else { return None };
        let (newest, written) = (self.history.newest()?, self.written?);
        let pose = self.sag.hold(&newest.angles, Some(&written.goal), &self.parameters.lead_limit_rad);
        // Where goals may not be, the way back would never end.
        Some(self.goal_limits(&written.goal).clamp(&pose))
    }

    pub(super) fn ease(&mut self, cause: EndCause, now: Timestamp) -> Option<Aim> {
        let written = self.written?;
        // The lead limit may keep a goal from the retreat: what has stood for a while will not get there.
        let stands = written.is_at_rest() && now.since(written.since_rest) >= STANDS_FOR;
        let reached =
            stands || self.retreat.is_none_or(|pose| pose.max_difference(&written.goal) < REACHED_RAD);
        let rests = reached && written.is_at_rest() && self.outstanding.is_none();
        if rests || self.in_phase(now) > EASE_TIMEOUT {
            let stays = self.parameters.after_stop == AfterStop::Wait && cause.may_reset();
            if stays {
                self.enter(Phase::Stopped(cause), now);
            } else if !(rests && cause.may_park() && self.begin_parking(cause, now)) {
                self.enter(Phase::Holding(cause), now);
            }
            return Some(Aim::Repeat);
        }
        Some(self.retreat.map_or(Aim::Brake, Aim::Towards))
    }

    /// Whether the last goal was repeated for long and often enough in this phase.
    fn has_held(&self, now: Timestamp) -> bool {
        let repeats = self.report.commands_written - self.written_before_phase;
        let time = self.in_phase(now);
        (time > HOLD_BEFORE_END && repeats >= HOLD_REPEATS) || time > HOLD_TIMEOUT
    }

    pub(super) fn hold(&mut self, cause: EndCause, now: Timestamp) -> Option<Aim> {
        if self.has_held(now) {
            self.enter(Phase::Ended(cause), now);
            return None;
        }
        Some(Aim::Repeat)
    }

    /// Latched. The hold is repeated for a while and then left to the servos: nothing is measured anew, so nothing sinks.
    pub(super) fn stay_stopped(&mut self, now: Timestamp, inputs: &Inputs<'_>) -> Option<Aim> {
        let held = self.has_held(now);
        if inputs.reset && held && self.outstanding.is_none() && inputs.link.connected {
            self.report.resets += 1;
            self.retreat = None;
            self.resume_at = None;
            self.rejected_in_a_row = 0;
            self.running_since = None;
            self.player.stop();
            self.connection = inputs.link.connection;
            self.watch_stillness(STILL_BEFORE_MOTION);
            self.enter(Phase::Settling, now);
        }
        // After a lost link the board may hold another goal by now, and be somewhere else.
        (!held && !self.goal_forgotten).then_some(Aim::Repeat)
    }

    /// Starts the way to the park pose; whether there is one.
    fn begin_parking(&mut self, cause: EndCause, now: Timestamp) -> bool {
        let Some(park) = self.parameters.park else { return false };
        let to = self.parameters.joint_limits.clamp(&park.pose);
        self.ramp = Some(Ramp::new(self.held(), to, now, self.parameters.ramp_speed_rad_s));
        self.watch_stillness(STILL_AT_PARK);
        self.enter(Phase::Parking(cause), now);
        true
    }

    pub(super) fn park(
        &mut self,
        cause: EndCause,
        now: Timestamp,
        still: bool,
        outputs: &mut Outputs,
    ) -> Option<Aim> {
        let (ramp, written) = (self.ramp?, self.written?);
        let pose = ramp.pose(now);
        let there = written.is_at_rest() && written.goal.max_difference(&pose) < REACHED_RAD;
        if !(self.has_arrived(&ramp, now, still) && there && self.outstanding.is_none()) {
            return Some(Aim::Towards(pose));
        }
        if self.parameters.park.is_some_and(|park| park.release_torque) {
            outputs.release_torque = Some(Parked::at_rest());
            self.enter(Phase::Ended(cause), now);
            return None;
        }
        self.enter(Phase::Holding(cause), now);
        Some(Aim::Repeat)
    }
}
