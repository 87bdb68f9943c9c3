//! Counters of a run, and its summary.

use super::gate::GateCounts;
use super::stop::EndCause;
use crate::types::{ChunkTimes, InferenceSummary, RunSummary, TickJitter, Travel};

/// Counters of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ControlReport {
    /// Ticks of the core.
    pub ticks: u64,
    /// Chunks that were played.
    pub chunks: u64,
    /// Chunks that the gate dropped.
    pub chunks_rejected: u64,
    /// Commands made.
    pub commands: u64,
    /// Commands that the link reported written.
    pub commands_written: u64,
    /// Ticks that waited for a chunk while the policy was in charge.
    pub ticks_waiting: u64,
    /// How often the link was lost while the arm was moving.
    pub link_losses: u64,
    /// How often the arm was taken out of a latched stop.
    pub resets: u64,
    /// How often each rule of the gate acted.
    pub gate: GateCounts,
}

/// What a shell knows of a run beyond the core's counters.
#[derive(Clone, Debug, Default)]
pub struct ShellReport {
    /// What the failing part said, where one failed.
    pub error: Option<String>,
    /// Ticks that never happened.
    pub missed_ticks: u64,
    /// Time from request to finished chunk.
    pub chunk_ms: ChunkTimes,
    /// Lateness of ticks.
    pub tick_jitter_us: TickJitter,
    /// Valid feedback lines a second.
    pub feedback_hz: f64,
    /// How far the joints moved.
    pub travel: Travel,
    /// Length of the run, s.
    pub elapsed_s: f64,
    /// What inference did.
    pub inference: Option<InferenceSummary>,
}

impl ControlReport {
    /// The summary of a run that ended for `cause`.
    pub fn summary(&self, cause: EndCause, shell: ShellReport) -> RunSummary {
        let ended = shell.error.map_or_else(|| cause.to_string(), |error| format!("{cause}: {error}"));
        RunSummary {
            ok: cause.is_success(),
            ended,
            ticks: self.ticks,
            missed_ticks: shell.missed_ticks,
            chunks: self.chunks,
            chunks_rejected: self.chunks_rejected,
            commands_sent: self.commands_written,
            chunk_ms: shell.chunk_ms,
            tick_jitter_us: shell.tick_jitter_us,
            feedback_hz: shell.feedback_hz,
            link_losses: self.link_losses,
            resets: self.resets,
            gate: RunSummary::gate_from(self.gate.by_rule()),
            travel_deg: RunSummary::travel_from(shell.travel.range_deg()),
            elapsed_s: shell.elapsed_s,
            inference: shell.inference,
        }
    }
}
