//! Conditions that end or interrupt a run by themselves.

use std::time::Duration;

use crate::types::{FeedbackSample, LinkStatus, Timestamp};

use super::{AfterLinkLoss, Controller, EndCause, Inputs, Phase, STILL_BEFORE_MOTION};

/// A command given to the link and not reported written within this time is a lost link.
const WRITE_TIMEOUT: Duration = Duration::from_millis(500);
/// An offered command that was not written within this time was thrown away by the link, which keeps none longer than 100 ms.
const DISCARDED_AFTER: Duration = Duration::from_millis(200);

impl Controller {
    /// A command that the link threw away will never be reported: the next one may be made.
    pub(super) fn forget_discarded(&mut self, now: Timestamp, link_ready: bool) {
        let _discarded =
            self.outstanding.take_if(|(_, _, since)| link_ready && now.since(*since) > DISCARDED_AFTER);
    }

    /// Notices that the link was lost or that the board was reset. What was under way is gone, and the board may have forgotten
    /// its goal: nothing that was planned before is commanded after.
    pub(super) fn watch_link(&mut self, now: Timestamp, link: &LinkStatus) {
        let lost = self.written.is_some() && (!link.connected || link.connection != self.connection);
        if !lost {
            self.connection = link.connection;
            return;
        }
        let again = match self.phase {
            Phase::Ramping | Phase::Running | Phase::Parking(_) => {
                self.report.link_losses += 1;
                match self.parameters.after_link_loss {
                    AfterLinkLoss::Resume if !matches!(self.phase, Phase::Parking(_)) => Phase::Disconnected,
                    _ => Phase::Ended(EndCause::LinkLost),
                }
            }
            // Nothing more can be written to the arm that was braking: it goes to the last goal by itself.
            Phase::Easing(cause) | Phase::Holding(cause) => Phase::Ended(cause),
            // What was consented to belongs to the connection before.
            Phase::Settling | Phase::AwaitingGo(_) if link.connected => {
                self.connection = link.connection;
                self.watch_stillness(STILL_BEFORE_MOTION);
                Phase::Settling
            }
            Phase::Settling | Phase::AwaitingGo(_) => Phase::Disconnected,
            // A latched arm says so when it is reset.
            Phase::Stopped(_) => {
                self.goal_forgotten = true;
                return;
            }
            Phase::Disconnected | Phase::Ended(_) => return,
        };
        if matches!(self.phase, Phase::Ramping | Phase::Running) {
            self.resume_at = Some(self.held());
        }
        self.goal_forgotten = true;
        self.outstanding = None;
        self.player.stop();
        self.enter(again, now);
    }

    /// Somebody switched the torque off: any further command would switch it on again.
    pub(super) fn respect_torque_off(&mut self, sample: Option<&FeedbackSample>, now: Timestamp) {
        let Some(sample) = sample else { return };
        self.torque_seen |= !sample.torque_off;
        let commanding = matches!(
            self.phase,
            Phase::Ramping
                | Phase::Running
                | Phase::Parking(_)
                | Phase::Easing(_)
                | Phase::Holding(_)
                | Phase::Stopped(_)
        );
        if commanding && sample.torque_off && self.torque_seen {
            self.enter(Phase::Ended(EndCause::TorqueOff), now);
        }
    }

    /// A condition that must end the run by itself.
    pub(super) fn fault(&mut self, now: Timestamp, inputs: &Inputs<'_>) -> Option<EndCause> {
        if !matches!(self.phase, Phase::Ramping | Phase::Running | Phase::Parking(_)) {
            return None;
        }
        let age = self.history.newest().map_or(Duration::MAX, |newest| now.since(newest.measured));
        if age > self.parameters.max_feedback_age {
            self.report.gate.feedback_age += 1;
            return Some(EndCause::FeedbackStale { age });
        }
        // After the age of feedback: when this machine stood still, the link is not to blame for a command that was under way.
        if self.outstanding.is_some_and(|(_, _, since)| now.since(since) > WRITE_TIMEOUT) {
            return Some(EndCause::LinkLost);
        }
        if let Some(cause) = self.does_not_follow(inputs.feedback.as_ref()) {
            return Some(cause);
        }
        if self.workspace.is_exhausted(now, self.parameters.workspace_patience) {
            return Some(EndCause::WorkspaceRefused);
        }
        if matches!(self.phase, Phase::Parking(_)) {
            return None;
        }
        let running_since = self.running_since?;
        for (slot, frame) in inputs.frames.iter().enumerate().take(self.parameters.cameras) {
            let age = frame.map(|frame| now.since(frame.captured));
            if age.unwrap_or_else(|| now.since(running_since)) > self.parameters.max_frame_age {
                self.report.gate.frame_age += 1;
                return Some(EndCause::FrameStale { slot, age });
            }
        }
        if let Some(cause) = self.shows_the_past(&inputs.frames) {
            return Some(cause);
        }
        if let Some(requested) = self.player.waiting_since() {
            let waited = now.since(requested);
            if waited > self.parameters.inference_timeout {
                return Some(EndCause::PolicyStalled { waited });
            }
        }
        if let Some(cause) = self.makes_no_progress(now, inputs.feedback.as_ref()) {
            return Some(cause);
        }
        self.parameters
            .duration
            .is_some_and(|duration| now.since(running_since) >= duration)
            .then_some(EndCause::Duration)
    }
}
