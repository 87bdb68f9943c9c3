//! What the policy is asked to look at.

use super::{Continuation, FrameMetadata, JointAngles, StatePerturbation, Timestamp};

/// The most camera slots a run can have; a policy with more is refused when it is loaded (SmolVLA's base has 3).
pub const MAX_CAMERAS: usize = 4;

/// The newest frame of each camera slot, in the policy's slot order.
pub type FrameSet = [Option<FrameMetadata>; MAX_CAMERAS];

/// A request for one chunk: which frames and which state the policy shall see.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObservationRequest {
    /// The chunk's number, from 0.
    pub chunk_id: u64,
    /// The control tick that asks.
    pub tick: u64,
    /// Timesteps of the policy's own time that are over: the chunk's first action belongs to the next one. Counted over the whole run,
    /// also across a lost link.
    pub timestep: u64,
    /// The frames to use, by slot.
    pub frames: FrameSet,
    /// When the oldest of these frames was taken.
    pub observed: Timestamp,
    /// The measured pose nearest in time to the frames, joint frame, radians.
    pub state: JointAngles,
    /// The chunk to go on from, with real-time chunking; `None` for a chunk that starts afresh.
    pub continues: Option<Continuation>,
    /// How the policy's side shall change the state before the policy sees it; `None` leaves it as measured.
    pub perturbation: Option<StatePerturbation>,
}
