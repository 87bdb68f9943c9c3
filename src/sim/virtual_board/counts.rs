//! What a virtual board has seen so far.

use std::path::PathBuf;
use std::time::Duration;

use calibration::DatasetAngles;

/// Something that happened to a board, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardEvent {
    /// When, on the board's clock.
    pub at: Duration,
    /// What.
    pub text: String,
}

/// A fault that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultReport {
    /// The fault, as it would be written in a list.
    pub fault: String,
    /// When it began, on the board's clock.
    pub began: Duration,
    /// When it ended; `None` while it is there.
    pub ended: Option<Duration>,
    /// What it did, in words, where that can be counted.
    pub effect: Option<String>,
}

/// What a virtual board has seen so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoardCounts {
    /// The device that clients open now; `None` while the cable is cut.
    pub path: Option<PathBuf>,
    /// Time on the board's clock.
    pub board_time: Duration,
    /// Lines that the firmware took in.
    pub lines_received: u64,
    /// Lines among them that it threw away: no JSON for its library, or its queue was full.
    pub lines_refused: u64,
    /// Bytes that arrived at the board's serial port.
    pub bytes_in: u64,
    /// Bytes that the board sent on its serial port.
    pub bytes_out: u64,
    /// Bytes that arrived and were lost, since the receive ring was full.
    pub bytes_lost: u64,
    /// T:1051 lines that the board sent on its serial port.
    pub frames_sent: u64,
    /// Commands by HTTP.
    pub http_requests: u64,
    /// Faults that have begun.
    pub faults: Vec<FaultReport>,
    /// Where the arm stands, degrees.
    pub pose: DatasetAngles,
    /// Processor time that the board's thread has used.
    pub processor_time: Duration,
}
