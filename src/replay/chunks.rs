//! The policy with recorded pictures.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use super::difference::{self, Difference};
use super::error::ReplayError;
use crate::episode::run_log::{ChunkRecord, FrameRecord, ObservationRecord, Record, RunLogReader};
use crate::policy::ChunkProducer;
use crate::types::{Chunk, Frame, FramePool, JOINT_COUNT};

/// Pictures that are kept for an observation that comes later in the file: with all pictures recorded, seconds of several cameras.
const KEPT: usize = 256;

/// What the policy said, by number.
#[derive(Default)]
pub(super) struct RecordedChunks(BTreeMap<u64, ChunkRecord>);

impl RecordedChunks {
    /// All of a log, which is read to its end.
    pub(super) fn read(path: &Path) -> Result<Self, ReplayError> {
        let mut reader = RunLogReader::open(path)?.decode_only(|_, _| false);
        let mut chunks = Self::default();
        while let Some(record) = reader.next_record()? {
            if let Record::Chunk(record) = record {
                chunks.add(record);
            }
        }
        Ok(chunks)
    }

    fn add(&mut self, mut record: ChunkRecord) {
        // The seed gives it again.
        record.noise = Vec::new();
        self.0.insert(record.chunk.id, record);
    }

    pub(super) fn get(&self, id: u64) -> Option<&ChunkRecord> {
        self.0.get(&id)
    }
}

/// A policy that sees a run's pictures again.
pub(super) struct ChunkReplay<'a> {
    producer: &'a mut ChunkProducer,
    pool: FramePool,
    frames: VecDeque<(usize, Arc<Frame>)>,
    waiting: VecDeque<ObservationRecord>,
    inferred: u64,
}

impl<'a> ChunkReplay<'a> {
    pub(super) fn new(producer: &'a mut ChunkProducer) -> Self {
        let pool = FramePool::new(KEPT);
        Self { producer, pool, frames: VecDeque::new(), waiting: VecDeque::new(), inferred: 0 }
    }

    pub(super) const fn inferred(&self) -> u64 {
        self.inferred
    }

    /// Observations whose pictures never came.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.len() as u64
    }

    pub(super) fn observe(&mut self, record: ObservationRecord) {
        self.waiting.push_back(record);
    }

    pub(super) fn add_frame(&mut self, record: FrameRecord) {
        let mut pixels = self.pool.take(record.pixels.len());
        pixels.copy_from_slice(&record.pixels);
        // A reader gives no picture of another length than its layout has.
        if let Some(frame) = Frame::new(record.metadata, record.layout, pixels) {
            self.frames.push_back((record.slot, Arc::new(frame)));
        }
        if self.frames.len() > KEPT {
            self.frames.pop_front();
        }
    }

    /// The pictures of an observation, once all are there.
    fn pictures(&self, record: &ObservationRecord) -> Option<Vec<Arc<Frame>>> {
        let used = record.frames.iter().enumerate().filter_map(|(slot, frame)| Some((slot, frame.as_ref()?)));
        used.map(|(slot, wanted)| {
            let mut frames = self.frames.iter();
            frames
                .find(|(own, frame)| *own == slot && frame.metadata == *wanted)
                .map(|(_, frame)| Arc::clone(frame))
        })
        .collect()
    }

    /// Asks the policy for the next chunk whose pictures are there, in their order: what was recorded and what it says now.
    pub(super) fn next<'r>(
        &mut self,
        chunks: &'r RecordedChunks,
    ) -> Result<Option<(&'r ChunkRecord, Chunk)>, ReplayError> {
        while let Some(record) = self.waiting.front() {
            // An inference that never ended: the run was over, or it failed.
            let Some(recorded) = chunks.get(record.request.chunk_id) else {
                self.waiting.pop_front();
                continue;
            };
            let Some(frames) = self.pictures(record) else { return Ok(None) };
            let finished = recorded.chunk.finished;
            let chunk = self.producer.produce(&record.request, &frames, record.started, || finished)?;
            self.inferred += 1;
            self.waiting.pop_front();
            return Ok(Some((recorded, chunk)));
        }
        Ok(None)
    }

    /// The z-scores of the last chunk.
    pub(super) fn z_scores(&self) -> &[[f32; JOINT_COUNT]] {
        self.producer.z_scores()
    }

    /// Asks the policy for every chunk whose pictures are there and says what differs first.
    pub(super) fn infer(&mut self, chunks: &RecordedChunks) -> Result<Option<Difference>, ReplayError> {
        while let Some((recorded, chunk)) = self.next(chunks)? {
            let difference = difference::of_chunks(recorded, self.z_scores(), chunk.actions());
            if difference.is_some() {
                return Ok(difference);
            }
        }
        Ok(None)
    }
}
