//! Counters of a run, and its summary.

use super::gate::GateCounts;
use super::stop::EndCause;
use super::trajectory::{MotionLimits, MotionReport};
use crate::types::{
    ChunkTimes, InferenceSummary, MAX_CAMERAS, MotionSummary, RunSummary, TickJitter, Travel,
};

/// Counters of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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
    /// Ticks in which the policy was in charge.
    pub ticks_running: u64,
    /// Ticks that waited for a chunk while the policy was in charge.
    pub ticks_waiting: u64,
    /// Ticks in which the playhead was slowed because the next chunk was late.
    pub ticks_slowed: u64,
    /// How often chunks were played one after another although they should overlap: the policy was too slow for it.
    pub fallbacks: u64,
    /// How smooth the motion was while the policy was in charge.
    pub motion: MotionReport,
    /// How often the link was lost while the arm was moving.
    pub link_losses: u64,
    /// How often the arm was taken out of a latched stop.
    pub resets: u64,
    /// How often the arm had come to a plateau while the policy was in charge.
    pub plateaus: u64,
    /// Whether the gripper was found closed without anything going on: the episode counts as failed.
    pub gripper_idle: bool,
    /// How often each camera slot was found to show the same picture again and again.
    pub frozen_pictures: [u64; MAX_CAMERAS],
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
    /// Roughness that fails a run.
    pub motion_limits: MotionLimits,
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
    /// Share of the policy's ticks that waited for a chunk, 0 to 1.
    fn waiting_share(&self) -> f64 {
        if self.ticks_running == 0 { 0.0 } else { self.ticks_waiting as f64 / self.ticks_running as f64 }
    }

    /// The summary of a run that ended for `cause`.
    pub fn summary(&self, cause: EndCause, shell: ShellReport) -> RunSummary {
        let mut ended = shell.error.map_or_else(|| cause.to_string(), |error| format!("{cause}: {error}"));
        if self.gripper_idle && cause != EndCause::GripperIdle {
            ended.push_str(
                "; the gripper had stayed closed and nothing went on, so the episode counts as failed",
            );
        }
        let too_rough = shell.motion_limits.exceeded(&self.motion, self.waiting_share());
        if let Some(too_rough) = &too_rough {
            ended.push_str("; failed: ");
            ended.push_str(too_rough);
        }
        RunSummary {
            ok: cause.is_success() && !self.gripper_idle && too_rough.is_none(),
            ended,
            ticks: self.ticks,
            missed_ticks: shell.missed_ticks,
            chunks: self.chunks,
            chunks_rejected: self.chunks_rejected,
            commands_sent: self.commands_written,
            chunk_ms: shell.chunk_ms,
            tick_jitter_us: shell.tick_jitter_us,
            feedback_hz: shell.feedback_hz,
            motion: MotionSummary {
                seams: self.motion.seams,
                disagreement_deg: self.motion.disagreement_rad.to_degrees(),
                seam_ratio: self.motion.seam_ratio(),
                jerk_deg_s3: self.motion.jerk_rad_s3.to_degrees(),
                ticks_waiting: self.ticks_waiting,
                ticks_slowed: self.ticks_slowed,
                fallbacks_to_sync: self.fallbacks,
                plateaus: self.plateaus,
                gripper_idle: self.gripper_idle,
            },
            link_losses: self.link_losses,
            resets: self.resets,
            frozen_pictures: self.frozen_pictures.iter().sum(),
            gate: RunSummary::gate_from(self.gate.by_rule()),
            travel_deg: RunSummary::travel_from(shell.travel.range_deg()),
            elapsed_s: shell.elapsed_s,
            inference: shell.inference,
        }
    }
}
