//! What enters and what leaves one tick of the core.

use crate::types::{
    Chunk, CommandWritten, FeedbackSample, FrameSet, JointCommand, LinkStatus, ObservationRequest, Parked,
    Playback,
};

use super::EndCause;

/// What enters one tick.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inputs<'a> {
    /// The newest feedback that arrived since the last tick.
    pub feedback: Option<FeedbackSample>,
    /// The newest frame of each camera slot.
    pub frames: FrameSet,
    /// A chunk that finished since the last tick.
    pub chunk: Option<&'a Chunk>,
    /// A command that the link wrote since the last tick.
    pub written: Option<CommandWritten>,
    /// Where the link stands.
    pub link: LinkStatus,
    /// The number of the proposal that was consented to.
    pub go: Option<u32>,
    /// Somebody or something asks for a stop.
    pub stop: Option<EndCause>,
    /// Somebody at this machine takes the arm out of its latched stop.
    pub reset: bool,
    /// How far what is played may go on.
    pub playback: Playback,
}

/// What leaves one tick.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outputs {
    /// A command to write at once.
    pub command: Option<JointCommand>,
    /// A chunk to infer.
    pub observation: Option<ObservationRequest>,
    /// The arm is parked, and the settings want its torque off.
    pub release_torque: Option<Parked>,
}
