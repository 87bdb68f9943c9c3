//! A recorded episode in place of a policy.

use std::sync::Arc;

use crate::policy::{ChunkSource, PolicyError};
use crate::types::{Chunk, Frame, JointAngles, ObservationRequest, Timestamp};

/// Actions handed over at a time. The core asks for more when half of them are left.
const CHUNK: usize = 100;

/// The actions of an episode, joint frame. Each request is answered with those from its timestep on, so that chunks agree wherever they
/// overlap; the last one ends the run.
#[derive(Clone, Debug)]
pub struct RecordedActions {
    actions: Vec<JointAngles>,
}

impl RecordedActions {
    /// An episode's actions, in order; `None` without any.
    pub fn new(actions: Vec<JointAngles>) -> Option<Self> {
        (!actions.is_empty()).then_some(Self { actions })
    }

    /// The first action: where the arm has to be before it starts.
    pub fn first(&self) -> JointAngles {
        self.actions.first().copied().unwrap_or(JointAngles::ZERO)
    }

    /// All actions.
    pub fn actions(&self) -> &[JointAngles] {
        &self.actions
    }
}

impl ChunkSource for RecordedActions {
    fn chunk(
        &mut self,
        request: &ObservationRequest,
        _frames: &[Arc<Frame>],
        _started: Timestamp,
        finished: &mut dyn FnMut() -> Timestamp,
    ) -> Result<Chunk, PolicyError> {
        // The core asks for nothing beyond a chunk that ends; if it were to, it would be told the last action again.
        let last = self.actions.len() - 1;
        let first = usize::try_from(request.timestep).map_or(last, |timestep| timestep.min(last));
        let end = (first + CHUNK).min(self.actions.len());
        let actions = &self.actions[first..end];
        let mut chunk = Chunk::new(request.chunk_id, request.observed, request.tick, finished(), actions)?;
        chunk.ends = end == self.actions.len();
        Ok(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::MAX_CAMERAS;

    fn recording(length: u16) -> RecordedActions {
        let actions = (0..length).map(|frame| JointAngles::from_array_rad([f64::from(frame); 6])).collect();
        RecordedActions::new(actions).expect("there are actions")
    }

    fn ask(recording: &mut RecordedActions, timestep: u64) -> Chunk {
        let request = ObservationRequest {
            chunk_id: 7,
            tick: 3,
            timestep,
            frames: [None; MAX_CAMERAS],
            observed: Timestamp::ZERO,
            state: JointAngles::ZERO,
            continues: None,
            perturbation: None,
        };
        recording.chunk(&request, &[], Timestamp::ZERO, &mut || Timestamp::ZERO).expect("it fits")
    }

    #[test]
    fn requests_are_answered_from_their_timestep_on() {
        let mut recording = recording(250);
        let chunk = ask(&mut recording, 120);
        assert_eq!((chunk.id, chunk.requested_tick, chunk.ends), (7, 3, false));
        assert_eq!(chunk.actions(), &recording.actions()[120..220]);
        let last = ask(&mut recording, 150);
        assert!(last.ends && last.actions() == &recording.actions()[150..]);
        assert_eq!(ask(&mut recording, 249).actions().len(), 1);
    }

    #[test]
    fn beyond_the_end_there_is_only_the_end() {
        let mut recording = recording(3);
        for timestep in [3, 9, u64::MAX] {
            let chunk = ask(&mut recording, timestep);
            assert!(chunk.ends && chunk.actions() == &recording.actions()[2..]);
        }
        assert!(RecordedActions::new(Vec::new()).is_none());
    }
}
