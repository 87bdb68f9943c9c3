//! Who answers requests for chunks.

use std::sync::Arc;

use super::{ChunkProducer, ChunkReport, Interrupter, PolicyError};
use crate::types::{Chunk, Frame, JOINT_COUNT, ObservationRequest, Timestamp};

/// Answers requests for chunks: a policy ([`ChunkProducer`]) or a recording.
pub trait ChunkSource: Send {
    /// Gets ready, before an episode: the next chunk is not slower than the rest.
    fn warm_up(&mut self) -> Result<(), PolicyError> {
        Ok(())
    }

    /// The chunk that was asked for. `frames` holds a picture for each camera slot, in slot order; work on it begins at `started`, and
    /// `finished` is read when it is over.
    fn chunk(
        &mut self,
        request: &ObservationRequest,
        frames: &[Arc<Frame>],
        started: Timestamp,
        finished: &mut dyn FnMut() -> Timestamp,
    ) -> Result<Chunk, PolicyError>;

    /// Seed of the noise that chunks start from; 0 where none is needed.
    fn noise_seed(&self) -> u64 {
        0
    }

    /// The last chunk as the policy said it, horizon x 6 z-scores, and the noise that it started from; empty where it was not computed.
    fn said(&self) -> (&[[f32; JOINT_COUNT]], &[f32]) {
        (&[], &[])
    }

    /// What is known of the last chunk, if it was computed.
    fn report(&self) -> Option<&ChunkReport> {
        None
    }

    /// Ends chunks from other threads, if they can be ended.
    fn interrupter(&self) -> Option<Interrupter> {
        None
    }
}

impl ChunkSource for ChunkProducer {
    fn warm_up(&mut self) -> Result<(), PolicyError> {
        Self::warm_up(self)
    }

    fn chunk(
        &mut self,
        request: &ObservationRequest,
        frames: &[Arc<Frame>],
        started: Timestamp,
        finished: &mut dyn FnMut() -> Timestamp,
    ) -> Result<Chunk, PolicyError> {
        self.produce(request, frames, started, finished)
    }

    fn noise_seed(&self) -> u64 {
        self.seed()
    }

    fn said(&self) -> (&[[f32; JOINT_COUNT]], &[f32]) {
        (self.z_scores(), self.noise())
    }

    fn report(&self) -> Option<&ChunkReport> {
        Self::report(self)
    }

    fn interrupter(&self) -> Option<Interrupter> {
        Self::interrupter(self)
    }
}
