//! The policy in charge.

use crate::types::{Chunk, FrameSet, ObservationRequest, Timestamp};

use super::{Aim, Controller, EndCause, Inputs, MotionBounds, Outputs, Taken, gate};

impl Controller {
    /// The policy's target for this tick, and the next observation when it is due.
    pub(super) fn run(&mut self, now: Timestamp, inputs: &Inputs<'_>, outputs: &mut Outputs) -> Option<Aim> {
        if let Some(chunk) = inputs.chunk.filter(|chunk| self.player.awaits(chunk.id)) {
            self.take_chunk(chunk, now);
        }
        self.player.control(inputs.playback);
        self.report.ticks_running += 1;
        let limits = self.goal_limits(&self.held());
        let bounds = MotionBounds {
            velocity_rad_s: self.parameters.max_velocity_rad_s * self.speed_share(),
            acceleration_rad_s2: self.parameters.max_acceleration_rad_s2,
            jerk_rad_s3: self.parameters.max_jerk_rad_s3,
        };
        let played = self.player.advance(now, &bounds, &limits, &self.held());
        if self.player.is_playing() {
            let (parameters, counts) = (&self.parameters, &mut self.report.gate);
            let _clamped = gate::clamp_target(&played.wanted, parameters, counts);
            self.report.ticks_slowed += u64::from(self.player.is_slowed());
        } else {
            self.report.ticks_waiting += 1;
        }
        outputs.observation = self.observe(now, &inputs.frames);
        if self.player.is_over() {
            self.begin_end(EndCause::EpisodeOver, now);
        }
        Some(Aim::Towards(played.target))
    }

    fn take_chunk(&mut self, chunk: &Chunk, now: Timestamp) {
        if !gate::accept_chunk(chunk, now, &self.parameters, &mut self.report.gate) {
            self.player.chunk_dropped();
            self.report.chunks_rejected += 1;
            self.rejected_in_a_row += 1;
            if self.rejected_in_a_row >= self.parameters.rejections_before_stop {
                self.begin_end(EndCause::ChunksRejected { count: self.rejected_in_a_row }, now);
            }
            return;
        }
        self.rejected_in_a_row = 0;
        if self.player.take_chunk(chunk, now, &mut self.smoothness) == Some(Taken::Played) {
            self.report.chunks += 1;
            self.chunks_since_start += 1;
        }
    }

    fn observe(&mut self, now: Timestamp, frames: &FrameSet) -> Option<ObservationRequest> {
        let due = self.player.due()?;
        let observed = if self.parameters.cameras == 0 {
            self.history.newest()?.measured
        } else {
            let used = frames.iter().take(self.parameters.cameras);
            used.map(|frame| frame.map(|frame| frame.captured)).min().flatten()?
        };
        let state = self.history.nearest(observed)?.angles;
        let chunk_id = self.next_chunk;
        self.next_chunk += 1;
        self.player.requested(&due, chunk_id, now);
        self.report.fallbacks = self.player.fallbacks();
        Some(ObservationRequest {
            chunk_id,
            tick: self.report.ticks,
            timestep: self.player.timestep(),
            frames: *frames,
            observed,
            state,
            continues: due.continues,
            perturbation: self.progress.take_perturbation(),
        })
    }
}
