//! Who answers requests for chunks.

use std::sync::Arc;

use super::{ChunkProducer, ChunkReport, Interrupter, PolicyError};
use crate::types::{Chunk, Frame, ObservationRequest, Timestamp};

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

    fn report(&self) -> Option<&ChunkReport> {
        Self::report(self)
    }

    fn interrupter(&self) -> Option<Interrupter> {
        Self::interrupter(self)
    }
}
