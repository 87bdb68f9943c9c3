//! The lines that wake the board, and when they may be repeated.

use std::time::Duration;

use firmware_protocol::{Command, EspNowMode, FeedbackMode, LINE_BREAK};

use super::WriteBuffer;
use crate::types::Timestamp;

/// Pauses between handshakes. A live board answers within 30 ms. While a board boots, everything sent waits in its receive
/// ring, and whatever is cut off there could parse as an emergency stop: so repeats are few.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(5)];

/// A lone line feed, T:605 cmd 2, T:301 mode 0.
///
/// The line feed ends a half line of an earlier client; T:605 makes a quiet board (mode 0, or 1 as G3 boots) stream; T:301
/// takes the arm from every ESP-NOW sender in range, which by default may move it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handshake {
    next: Timestamp,
    sent: usize,
    /// Bytes sent since the last valid frame: the board may not have read them.
    unread: usize,
}

impl Handshake {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { next: now, sent: 0, unread: 0 }
    }

    /// Begins a new wait; what the board has not read still counts.
    pub(super) const fn start_over(&mut self, now: Timestamp) {
        (self.next, self.sent) = (now, 0);
    }

    /// Whether the lines went out in this wait.
    pub(super) const fn done(&self) -> bool {
        self.sent > 0
    }

    /// A valid frame: the board's loop runs, and has read what it was sent.
    pub(super) const fn frame_received(&mut self) {
        self.unread = 0;
    }

    /// The port is another one: nothing of this side lies unread in it.
    pub(super) const fn forget_unread(&mut self) {
        self.unread = 0;
    }

    /// Bytes of a command that the board may not have read.
    pub(super) const fn note_unread(&mut self, bytes: usize) {
        self.unread += bytes;
    }

    /// Adds the lines to `out` if they are due and surely fit into the board's receive ring.
    pub(super) fn send(&mut self, now: Timestamp, out: &mut WriteBuffer) -> bool {
        if now < self.next {
            return false;
        }
        let mut lines = [0; 2 * Command::MAX_BYTES];
        let mut length = 0;
        let mut buffer = [0; Command::MAX_BYTES];
        let mut add = |bytes: &[u8]| {
            if let Some(place) = lines.get_mut(length..length + bytes.len()) {
                place.copy_from_slice(bytes);
                length += bytes.len();
            }
        };
        add(LINE_BREAK);
        add(Command::SetFeedbackMode(FeedbackMode::Stream).encode(&mut buffer));
        add(Command::SetEspNow(EspNowMode::Off).encode(&mut buffer));
        if self.unread + length >= WriteBuffer::CAPACITY || out.push(&lines[..length]).is_err() {
            return false;
        }
        self.unread += length;
        self.sent += 1;
        self.next = now + PAUSES.get(self.sent).copied().unwrap_or(PAUSES[PAUSES.len() - 1]);
        true
    }
}
