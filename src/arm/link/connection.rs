//! From one connection to the next: what ends one, how long the next is waited for, and what is forgotten between them.

use std::time::Duration;

use firmware_protocol::LineSplitter;
use firmware_protocol::health::{HealthMonitor, HealthOptions};

use super::hold::WrittenGoals;
use super::receive::FrameWatch;
use super::statistics::RateCounter;
use super::{LinkEvent, LinkFault, LinkMachine, LinkState, Phase};
use crate::types::{LinkStatus, Timestamp};

impl LinkMachine {
    /// Notes that the port is gone (end of file, an I/O error). Throw away all bytes that still wait to be written.
    ///
    /// The link is given up at once if it was never ready, if [`reconnect_timeout`](super::LinkOptions::reconnect_timeout) is
    /// zero, or if there is nothing left to do. Otherwise look for the same port, open it, and call
    /// [`LinkMachine::port_opened`]; [`LinkMachine::poll`] gives up in time.
    pub fn port_lost(&mut self, now: Timestamp, events: &mut dyn FnMut(LinkEvent)) {
        let again = match self.phase {
            Phase::Failed(_) => return,
            Phase::TakingOver(_) => return self.fail(LinkFault::TakenOver, events),
            Phase::TorqueReleased => false,
            Phase::Waiting | Phase::Ready | Phase::PortAway | Phase::HandGuided(_) => {
                self.ready_since.is_some() && !self.options.reconnect_timeout.is_zero()
            }
        };
        if !again {
            return self.fail(LinkFault::Lost, events);
        }
        if matches!(self.phase, Phase::Ready) {
            // Its loop ran, so it has read what it was sent. A board that boots may not have.
            self.handshake.forget_unread();
        }
        if !matches!(self.phase, Phase::PortAway) {
            self.wait_again(now);
            events(LinkEvent::PortLost);
        }
        self.phase = Phase::PortAway;
        // Half a line on either side ended with the port.
        self.in_flight = None;
        self.statistics.overlong_lines += self.splitter.dropped_lines();
        self.splitter = LineSplitter::new();
    }

    /// The port was opened again, control lines set: the handshake starts over.
    pub fn port_opened(&mut self, now: Timestamp, events: &mut dyn FnMut(LinkEvent)) {
        if matches!(self.phase, Phase::PortAway) {
            self.phase = Phase::Waiting;
            self.waiting_since = now;
            self.handshake.start_over(now);
            events(LinkEvent::PortBack);
        }
    }

    /// Counts connections from 0; see the [module](super).
    pub const fn connection(&self) -> u32 {
        self.connection
    }

    /// When the present connection became ready; `None` while it is not.
    pub const fn ready_since(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Ready => self.ready_since,
            _ => None,
        }
    }

    /// Where the link stands, in a word.
    pub const fn state(&self) -> LinkState {
        match (self.phase, self.lost_since) {
            (Phase::Ready, _) => LinkState::Ready,
            (Phase::TorqueReleased, _) => LinkState::TorqueReleased,
            (Phase::HandGuided(_), _) => LinkState::HandGuided,
            (Phase::TakingOver(_), _) => LinkState::Failed(LinkFault::TakenOver),
            (Phase::Failed(fault), _) => LinkState::Failed(fault),
            (Phase::Waiting | Phase::PortAway, Some(since)) => LinkState::Reconnecting { since },
            (Phase::Waiting | Phase::PortAway, None) => LinkState::Connecting { since: self.waiting_since },
        }
    }

    /// Where the link stands, for a tick of the control core.
    pub const fn status(&self) -> LinkStatus {
        LinkStatus { connection: self.connection, connected: self.is_connected(), ready: self.ready() }
    }

    /// Age of the newest pose that was believed, counted from the arrival of its line.
    pub const fn feedback_age(&self, now: Timestamp) -> Duration {
        now.since(self.last_feedback)
    }

    /// Arrival of the newest line with a pose that was believed; the opening of the port before the first.
    pub const fn last_feedback(&self) -> Timestamp {
        self.last_feedback
    }

    /// From ready back to waiting, as a new connection.
    ///
    /// While the port stays, a command in flight stays so: its line must be completed, or the board would splice the next one
    /// to it. Its report belongs to the old connection and is never given.
    pub(super) fn wait_again(&mut self, now: Timestamp) {
        self.statistics.interruptions += u64::from(matches!(self.phase, Phase::Ready));
        self.lost_since.get_or_insert(now);
        self.phase = Phase::Waiting;
        self.connection = self.connection.wrapping_add(1);
        self.credit = false;
        self.waiting_since = now;
        self.first_bytes = None;
        self.handshake.start_over(now);
        self.frames = FrameWatch::new(&self.options);
        self.written_goals = WrittenGoals::new();
        self.health = HealthMonitor::new(HealthOptions::DEFAULT);
        self.rate = RateCounter::new();
        self.statistics.feedback_hz = 0.0;
    }

    /// The link is ready, as of `now`.
    pub(super) const fn become_ready(&mut self, now: Timestamp) {
        self.phase = Phase::Ready;
        self.credit = true;
        self.ready_since = Some(now);
        self.lost_since = None;
    }

    /// Whether the port stayed away for too long.
    pub(super) fn port_overdue(&self, now: Timestamp) -> bool {
        self.lost_since.is_none_or(|since| now.since(since) >= self.options.reconnect_timeout)
    }

    /// The fault of a wait that lasted too long.
    pub(super) fn overdue(&self, now: Timestamp) -> Option<LinkFault> {
        let waited = now.since(self.waiting_since);
        if !self.heard && waited >= self.options.silence_timeout {
            Some(LinkFault::NoBytes)
        } else if waited >= self.options.boot_timeout {
            Some(if self.frames.seen_any() { LinkFault::NeverStill } else { LinkFault::NoFeedback })
        } else {
            None
        }
    }
}
