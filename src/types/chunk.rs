//! A chunk of actions as the control core plays it.

use super::{JointAngles, Timestamp};

/// The longest horizon a chunk can carry; a policy with a longer one is refused when it is loaded.
///
/// SmolVLA's is 50. The capacity is fixed so that a chunk is a plain value: handing one over neither allocates nor frees.
pub const MAX_HORIZON: usize = 256;

/// More actions than [`MAX_HORIZON`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a chunk of {found} actions exceeds the capacity of {MAX_HORIZON}: use a policy with a shorter horizon"
)]
pub struct ChunkOverflow {
    /// The number of actions that was asked for.
    pub found: usize,
}

/// Joint angle targets for the coming steps, spaced by the policy's period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chunk {
    /// Counts chunks of a run, from 0.
    pub id: u64,
    /// When the observation's picture was taken.
    pub observed: Timestamp,
    /// The control tick that asked for it.
    pub requested_tick: u64,
    /// When inference had finished.
    pub finished: Timestamp,
    /// Whether nothing follows it: the last of a recording. A policy's chunks never end.
    pub ends: bool,
    length: usize,
    actions: [JointAngles; MAX_HORIZON],
}

impl Chunk {
    /// A chunk of the given actions, in order. Values are not checked here: the gate tests them for finiteness.
    pub fn new(
        id: u64,
        observed: Timestamp,
        requested_tick: u64,
        finished: Timestamp,
        actions: &[JointAngles],
    ) -> Result<Self, ChunkOverflow> {
        let mut stored = [JointAngles::ZERO; MAX_HORIZON];
        stored
            .get_mut(..actions.len())
            .ok_or(ChunkOverflow { found: actions.len() })?
            .copy_from_slice(actions);
        Ok(Self {
            id,
            observed,
            requested_tick,
            finished,
            ends: false,
            length: actions.len(),
            actions: stored,
        })
    }

    /// The actions, horizon long.
    pub fn actions(&self) -> &[JointAngles] {
        &self.actions[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_its_actions_and_refuses_too_many() {
        let action = JointAngles::from_array_rad([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
        let chunk =
            Chunk::new(3, Timestamp::ZERO, 7, Timestamp::ZERO, &[action; 50]).expect("50 actions fit");
        assert_eq!(chunk.actions(), [action; 50]);
        let too_many = Chunk::new(3, Timestamp::ZERO, 7, Timestamp::ZERO, &[action; MAX_HORIZON + 1]);
        assert_eq!(too_many, Err(ChunkOverflow { found: MAX_HORIZON + 1 }));
    }
}
