//! What is said and printed at the end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::sim::virtual_board::{BoardCounts, VirtualBoardOptions};

/// The object of `--json`.
#[derive(Serialize)]
pub(super) struct SimSummary {
    pub(super) ok: bool,
    pub(super) ended: String,
    pub(super) elapsed_s: f64,
    pub(super) boards: Vec<BoardSummary>,
}

/// What one board has seen.
#[derive(Serialize)]
pub(super) struct BoardSummary {
    board: usize,
    firmware: &'static str,
    /// The link, or the device where there is none.
    path: Option<PathBuf>,
    tcp: Option<SocketAddr>,
    http: Option<SocketAddr>,
    log: Option<PathBuf>,
    lines_received: u64,
    lines_refused: u64,
    bytes_in: u64,
    bytes_out: u64,
    bytes_lost: u64,
    frames_sent: u64,
    http_requests: u64,
    faults: Vec<FaultSummary>,
    pose_deg: [f64; 6],
    board_time_s: f64,
    processor_percent: f64,
}

#[derive(Serialize)]
struct FaultSummary {
    fault: String,
    began_s: f64,
    ended_s: Option<f64>,
    effect: Option<String>,
}

pub(super) fn of_board(
    board: usize,
    options: &VirtualBoardOptions,
    (tcp, http): (Option<SocketAddr>, Option<SocketAddr>),
    counts: BoardCounts,
    elapsed: Duration,
) -> BoardSummary {
    let faults = counts.faults.into_iter().map(|fault| FaultSummary {
        fault: fault.fault,
        began_s: fault.began.as_secs_f64(),
        ended_s: fault.ended.map(|ended| ended.as_secs_f64()),
        effect: fault.effect,
    });
    BoardSummary {
        board,
        firmware: options.board.generation.name(),
        path: options.link.clone().or(counts.path),
        tcp,
        http,
        log: options.log.clone(),
        lines_received: counts.lines_received,
        lines_refused: counts.lines_refused,
        bytes_in: counts.bytes_in,
        bytes_out: counts.bytes_out,
        bytes_lost: counts.bytes_lost,
        frames_sent: counts.frames_sent,
        http_requests: counts.http_requests,
        faults: faults.collect(),
        pose_deg: counts.pose.to_array_deg(),
        board_time_s: counts.board_time.as_secs_f64(),
        processor_percent: 100.0 * counts.processor_time.as_secs_f64() / elapsed.as_secs_f64().max(1e-3),
    }
}

impl BoardSummary {
    /// For people.
    pub(super) fn sentence(&self) -> String {
        let mut text = format!("{} lines received", self.lines_received);
        if self.lines_refused > 0 {
            text.push_str(&format!(" ({} refused)", self.lines_refused));
        }
        text.push_str(&format!(
            ", {} frames sent, {} B in, {} B out",
            self.frames_sent, self.bytes_in, self.bytes_out
        ));
        if self.bytes_lost > 0 {
            text.push_str(&format!(", {} B lost in the full receive ring", self.bytes_lost));
        }
        if self.http_requests > 0 {
            text.push_str(&format!(", {} web requests", self.http_requests));
        }
        text
    }
}
