//! The core with recorded inputs.

use super::chunks::RecordedChunks;
use super::difference::{self, Difference};
use super::error::ReplayError;
use crate::control::{ControlParameters, Controller, Inputs};
use crate::episode::run_log::ControlRecord;

/// A core that plays a run again.
pub(super) struct TickReplay {
    core: Controller,
    last: u64,
}

impl TickReplay {
    /// A core with the run's own settings.
    pub(super) fn new(parameters: ControlParameters) -> Self {
        Self { core: Controller::new(parameters), last: 0 }
    }

    /// Plays a tick and says what differs.
    pub(super) fn play(
        &mut self,
        record: &ControlRecord,
        chunks: &RecordedChunks,
    ) -> Result<Option<Difference>, ReplayError> {
        if record.tick != self.last + 1 {
            return Err(ReplayError::TicksMissing { after: self.last, next: record.tick });
        }
        self.last = record.tick;
        let chunk = match record.chunk {
            None => None,
            Some(id) => {
                let missing = ReplayError::ChunkMissing { chunk: id, tick: record.tick };
                Some(&*chunks.get(id).ok_or(missing)?.chunk)
            }
        };
        let inputs = Inputs {
            feedback: record.feedback,
            frames: record.frames,
            chunk,
            written: record.written,
            link: record.link,
            go: record.go,
            stop: record.stop,
            reset: record.reset,
            playback: record.playback,
        };
        let outputs = self.core.tick(record.now, &inputs);
        let replayed = ControlRecord::of(record.now, &inputs, &outputs, &self.core, record.missed_ticks);
        Ok(difference::of_ticks(record, &replayed))
    }
}
