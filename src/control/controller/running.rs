//! The policy in charge.

use crate::types::{Chunk, FrameSet, ObservationRequest, Timestamp};

use super::{Aim, ControlParameters, Controller, EndCause, Inputs, Outputs, Playback, Schedule, gate};

impl Controller {
    /// The policy's target for this tick, and the next observation when it is due.
    pub(super) fn run(&mut self, now: Timestamp, inputs: &Inputs<'_>, outputs: &mut Outputs) -> Option<Aim> {
        if let (Some(chunk), Schedule::Waiting { chunk_id, .. }) = (inputs.chunk, &self.schedule)
            && chunk.id == *chunk_id
        {
            self.take_chunk(chunk, now);
        }
        if matches!(&self.schedule, Schedule::Playing(playback) if playback.is_over(now)) {
            self.schedule = Schedule::Due;
        }
        if matches!(self.schedule, Schedule::Due) {
            outputs.observation = self.observe(now, &inputs.frames);
        }
        if let Schedule::Playing(playback) = &self.schedule {
            let target = playback.target(now);
            let ControlParameters { trained_range, joint_limits, .. } = &self.parameters;
            return Some(Aim::Towards(gate::clamp_target(
                &target,
                trained_range.as_ref(),
                joint_limits,
                &mut self.report.gate,
            )));
        }
        self.report.ticks_waiting += 1;
        Some(Aim::Towards(self.held_target()))
    }

    fn take_chunk(&mut self, chunk: &Chunk, now: Timestamp) {
        if !gate::accept_chunk(chunk, now, &self.parameters, &mut self.report.gate) {
            self.schedule = Schedule::Due;
            self.report.chunks_rejected += 1;
            self.rejected_in_a_row += 1;
            if self.rejected_in_a_row >= self.parameters.rejections_before_stop {
                self.begin_end(EndCause::ChunksRejected { count: self.rejected_in_a_row }, now);
            }
            return;
        }
        self.rejected_in_a_row = 0;
        let first = self.chunks_since_start == 0;
        let speed = if first { self.parameters.first_chunk_speed } else { 1.0 };
        let period = self.parameters.action_period.div_f64(speed);
        self.report.chunks += 1;
        self.chunks_since_start += 1;
        let playback =
            Playback::new(*chunk, self.held_target(), now, period, self.parameters.actions_per_chunk);
        self.schedule = Schedule::Playing(playback);
    }

    fn observe(&mut self, now: Timestamp, frames: &FrameSet) -> Option<ObservationRequest> {
        let used = frames.iter().take(self.parameters.cameras);
        let observed = used.map(|frame| frame.map(|frame| frame.captured)).min().flatten()?;
        let state = self.history.nearest(observed)?.angles;
        let chunk_id = self.next_chunk;
        self.next_chunk += 1;
        self.schedule = Schedule::Waiting { chunk_id, requested: now };
        Some(ObservationRequest {
            chunk_id,
            tick: self.report.ticks,
            frames: *frames,
            observed,
            state,
            continues: None,
        })
    }
}
