//! The hold by the port's owner: what happens to a moving arm whose control side is gone.

use std::time::Duration;

use super::hold::StopRamp;
use super::{LinkEvent, LinkFault, LinkMachine, Phase, WriteBuffer};
use crate::types::{JointAngles, JointCommand, Timestamp};

/// A hold repeats its goal at least so many times, however long that takes: a line may be lost or garbled on the wire, and where the
/// machine or the wire is slow, few go out in [`hold_time`](super::LinkOptions::hold_time).
pub(super) const HOLD_REPEATS: u32 = 10;

/// A port that takes no more bytes is not waited for longer.
const LONGEST: Duration = Duration::from_secs(4);

/// How far a take-over has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TakeOver {
    /// When it was first gone on with.
    begun: Option<Timestamp>,
    /// Begins once the command in flight is written.
    ramp: Option<StopRamp>,
    /// When the goal was first repeated, and how often it has been.
    rested: Option<(Timestamp, u32)>,
}

impl TakeOver {
    pub(super) fn written(&mut self, goal: JointAngles, now: Timestamp) {
        if let Some(ramp) = &mut self.ramp {
            ramp.advance(goal, now);
            if ramp.is_at_rest() {
                let (since, repeats) = self.rested.unwrap_or((now, 0));
                self.rested = Some((since, repeats + 1));
            }
        }
    }

    fn is_done(&self, now: Timestamp, hold_time: Duration) -> bool {
        let held =
            |(since, repeats): (Timestamp, u32)| repeats >= HOLD_REPEATS && now.since(since) >= hold_time;
        self.rested.is_some_and(held)
            || self.begun.is_some_and(|begun| now.since(begun) >= LONGEST + hold_time)
    }
}

impl LinkMachine {
    /// Whether the arm may still be moving to goals that were written: it must not be left alone without a release.
    pub const fn owes_hold(&self) -> bool {
        matches!(self.phase, Phase::Ready)
            && (self.written_goals.last().is_some() || self.in_flight.is_some())
    }

    /// Takes the arm from the control side, which is gone or hangs: from now on [`LinkMachine::poll`] writes goals that slow
    /// down from the last *written* one with [`stop_deceleration_rad_s2`](super::LinkOptions::stop_deceleration_rad_s2), then
    /// repeats the last for [`hold_time`](super::LinkOptions::hold_time) and at least ten times, and ends with
    /// [`LinkFault::TakenOver`].
    ///
    /// Where there is nothing to hold (no command was written in this connection, the board is away, somebody switched the
    /// torque off), it ends at once. Doing it twice changes nothing.
    pub fn take_over(&mut self, events: &mut dyn FnMut(LinkEvent)) {
        match self.phase {
            Phase::Failed(_) | Phase::TorqueReleased | Phase::TakingOver(_) => {}
            _ if self.owes_hold() && !self.frames.torque_is_off() => {
                self.phase = Phase::TakingOver(TakeOver::default());
                self.statistics.take_overs += 1;
                events(LinkEvent::TakingOver);
            }
            _ => self.fail(LinkFault::TakenOver, events),
        }
    }

    /// Whether the machine itself moves the arm.
    pub const fn is_taking_over(&self) -> bool {
        matches!(self.phase, Phase::TakingOver(_))
    }

    /// The next goal of a take-over if it is due, or its end.
    pub(super) fn go_on_taking_over(
        &mut self,
        mut take_over: TakeOver,
        now: Timestamp,
        out: &mut WriteBuffer,
        events: &mut dyn FnMut(LinkEvent),
    ) {
        take_over.begun.get_or_insert(now);
        self.phase = Phase::TakingOver(take_over);
        let deaf = now.since(self.last_feedback) >= self.options.feedback_timeout;
        // A motion command would switch the torque on again.
        if deaf || self.frames.torque_is_off() || take_over.is_done(now, self.options.hold_time) {
            return self.fail(LinkFault::TakenOver, events);
        }
        if !out.is_empty() || self.in_flight.is_some() || !self.credit {
            return;
        }
        let deceleration = self.options.stop_deceleration_rad_s2;
        let ramp = take_over.ramp.or_else(|| {
            StopRamp::new(&self.written_goals, deceleration, self.generation.unwrap_or_default())
        });
        let (Some(ramp), Some((last, _))) = (ramp, self.written_goals.last()) else {
            return self.fail(LinkFault::TakenOver, events);
        };
        take_over.ramp = Some(ramp);
        self.phase = Phase::TakingOver(take_over);
        let command =
            JointCommand { sequence: last.sequence + 1, tick: last.tick, goal: ramp.next(now), ..last };
        // The last goal was encoded before, and an empty buffer has room for the longest command.
        match self.begin(&command).map(|line| out.push(line)) {
            Ok(Ok(())) => {}
            _ => self.fail(LinkFault::TakenOver, events),
        }
    }
}
