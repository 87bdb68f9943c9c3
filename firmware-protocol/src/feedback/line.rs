//! What a line from the board is.

use super::frame::{self, Feedback, FeedbackError, Object};

/// A line from the board. Text and JSON are mixed on the wire; only [`Line::Feedback`] says where the arm is.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Line<'a> {
    /// A T:1051 with a whole pose.
    Feedback(Feedback),
    /// A T:1051 that is not to be used, and why.
    InvalidFeedback(FeedbackError),
    /// `{"error":"Queue full"}` (G3): commands come faster than the board takes them; 50 are waiting.
    QueueFull,
    /// `Servo ID:NN status: failed.`: this servo (11..=17) did not answer. Without 12 V all of them say so.
    ServoFailed {
        /// Bus id of the servo.
        id: u8,
    },
    /// `Low operating voltage detected. …` (G3): below 6 V.
    LowSupply,
    /// `rst:0x…`: the chip has just been reset. **The arm is about to drive home.**
    Reset,
    /// `Init failed, skip moveInit.` or `Bus servos status check: failed.`: servos were silent at boot; T:100 will refuse
    /// until the next restart.
    InitFailed,
    /// Any other whole JSON object: an echo of a command (G1, mode 1), network information, a mission step.
    OtherJson(&'a [u8]),
    /// Anything else: boot text, debug numbers, MAC addresses, halves of lines.
    Noise(&'a [u8]),
}

/// Tells what a line is. Takes one line of [`super::LineSplitter`], never panics, allocates nothing.
#[must_use]
pub fn parse_line(line: &[u8]) -> Line<'_> {
    let line = line.trim_ascii();
    if line.starts_with(b"{") {
        return match frame::read(line) {
            Object::Feedback(Ok(feedback)) => Line::Feedback(feedback),
            Object::Feedback(Err(error)) => Line::InvalidFeedback(error),
            Object::Other if line == b"{\"error\":\"Queue full\"}" => Line::QueueFull,
            Object::Other => Line::OtherJson(line),
            Object::Broken => Line::Noise(line),
        };
    }
    if let Some(id) = failed_servo(line) {
        return Line::ServoFailed { id };
    }
    if line.starts_with(b"Low operating voltage detected") {
        return Line::LowSupply;
    }
    if line.starts_with(b"rst:0x") {
        return Line::Reset;
    }
    if line == b"Init failed, skip moveInit." || line == b"Bus servos status check: failed." {
        return Line::InitFailed;
    }
    Line::Noise(line)
}

fn failed_servo(line: &[u8]) -> Option<u8> {
    let id = line.strip_prefix(b"Servo ID:")?.strip_suffix(b" status: failed.")?;
    core::str::from_utf8(id).ok()?.parse().ok()
}
