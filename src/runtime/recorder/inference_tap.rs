//! From inference to the recorder: what the policy saw, and what it said.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use super::{FrameQueue, RecorderShared};
use crate::episode::run_log::{ChunkRecord, ObservationRecord};
use crate::policy::ChunkSource;
use crate::types::{Chunk, Frame, FrameSet, ObservationRequest, Timestamp};

/// A record of the inference thread.
pub(super) enum InferenceRecord {
    Observation(Box<ObservationRecord>),
    Chunk(Box<ChunkRecord>),
}

/// Inference's end. Never waits.
pub(in crate::runtime) struct InferenceTap {
    records: SyncSender<InferenceRecord>,
    frames: FrameQueue,
    shared: Arc<RecorderShared>,
}

impl InferenceTap {
    pub(super) const fn new(
        records: SyncSender<InferenceRecord>,
        frames: FrameQueue,
        shared: Arc<RecorderShared>,
    ) -> Self {
        Self { records, frames, shared }
    }

    fn send(&self, record: InferenceRecord) {
        if self.records.try_send(record).is_err() {
            self.shared.lose_control_record();
        }
    }

    /// Inference begins with these pictures.
    pub(in crate::runtime) fn observed(
        &self,
        request: &ObservationRequest,
        started: Timestamp,
        frames: &[Option<Arc<Frame>>],
        noise_seed: u64,
    ) {
        let mut used = FrameSet::default();
        for (slot, (place, frame)) in used.iter_mut().zip(frames).enumerate() {
            if let Some(frame) = frame {
                *place = Some(frame.metadata);
                self.frames.push_policy(slot, Arc::clone(frame));
            }
        }
        let record = ObservationRecord { request: *request, started, frames: used, noise_seed };
        self.send(InferenceRecord::Observation(Box::new(record)));
    }

    /// The policy has said `chunk`. To be called before control can see it: a log that knows of a played chunk has it.
    pub(in crate::runtime) fn inferred(&self, chunk: &Chunk, source: &dyn ChunkSource) {
        let Some(report) = source.report() else { return };
        let (z_scores, noise) = source.said();
        self.send(InferenceRecord::Chunk(Box::new(ChunkRecord {
            chunk: Box::new(*chunk),
            z_scores: z_scores.to_vec(),
            noise: noise.to_vec(),
            report: *report,
        })));
    }
}
