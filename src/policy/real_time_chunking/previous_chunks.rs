//! The z-scores of the last chunks, to continue from.

use super::Guidance;
use crate::policy::PolicyError;
use crate::types::{Continuation, JOINT_COUNT, RealTimeChunking, ShortLeftOver};

/// Remembers the two newest chunks: the newest may have been refused by the safety gate, and the one before it is still played then.
#[derive(Debug)]
pub(in crate::policy) struct PreviousChunks {
    chunks: [PreviousChunk; 2],
    /// Index of the older one, which the next chunk replaces.
    older: usize,
}

#[derive(Debug)]
struct PreviousChunk {
    id: Option<u64>,
    z_scores: Vec<[f32; JOINT_COUNT]>,
}

impl PreviousChunks {
    pub(in crate::policy) fn new(horizon: usize) -> Self {
        let empty = || PreviousChunk { id: None, z_scores: Vec::with_capacity(horizon) };
        Self { chunks: [empty(), empty()], older: 0 }
    }

    /// Remembers a chunk as the newest.
    pub(in crate::policy) fn remember(&mut self, id: u64, z_scores: &[[f32; JOINT_COUNT]]) {
        let chunk = &mut self.chunks[self.older];
        chunk.id = Some(id);
        chunk.z_scores.clear();
        chunk.z_scores.extend_from_slice(z_scores);
        self.older = 1 - self.older;
    }

    /// What guides a chunk that goes on from a remembered one.
    pub(in crate::policy) fn guidance(
        &self,
        continuation: Continuation,
        settings: RealTimeChunking,
    ) -> Result<Guidance<'_>, PolicyError> {
        let Continuation { chunk_id, consumed, inference_delay } = continuation;
        let chunk = self.chunks.iter().find(|chunk| chunk.id == Some(chunk_id));
        let chunk = chunk.ok_or_else(|| PolicyError::Guidance {
            problem: format!("chunk {chunk_id} is none of the last two: request a chunk that starts afresh"),
        })?;
        // An arm that has run out of actions holds the last one.
        let held = usize::from(settings.short_left_over == ShortLeftOver::HoldLast);
        let start = consumed.min(chunk.z_scores.len().saturating_sub(held));
        let previous_actions = &chunk.z_scores[start..];
        Ok(Guidance { previous_actions, inference_delay, settings })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_two_newest_chunks_can_be_continued() {
        let mut previous = PreviousChunks::new(3);
        for id in 0..3 {
            previous.remember(id, &[[id as f32; 6], [id as f32 + 0.5; 6], [9.0; 6]]);
        }
        let left_over = |chunk_id, consumed, short_left_over| {
            let continuation = Continuation { chunk_id, consumed, inference_delay: 1 };
            let settings = RealTimeChunking { short_left_over, ..RealTimeChunking::default() };
            let guidance = previous.guidance(continuation, settings);
            guidance
                .map(|guidance| guidance.previous_actions.iter().map(|action| action[0]).collect::<Vec<_>>())
        };
        let (hold, shorten) = (ShortLeftOver::HoldLast, ShortLeftOver::ShortenHorizon);
        assert_eq!(left_over(2, 1, hold).unwrap(), [2.5, 9.0]);
        assert_eq!(left_over(1, 0, shorten).unwrap(), [1.0, 1.5, 9.0]);
        for played_to_the_end in [3, 99] {
            assert_eq!(left_over(2, played_to_the_end, hold).unwrap(), [9.0]);
            assert_eq!(left_over(2, played_to_the_end, shorten).unwrap(), [0.0; 0]);
        }
        assert!(left_over(0, 0, hold).unwrap_err().to_string().contains("chunk 0"));
    }
}
