//! What the runtime asks of a policy: an observation goes in, a chunk of pose targets comes out.

use std::time::Duration;

use super::PolicyError;
use super::bundle::CameraSlot;
use super::real_time_chunking::{Guidance, GuidanceReport};
use crate::types::{DatasetAngles, JOINT_COUNT, Picture};

/// A policy that turns an observation into a chunk of actions. [`Engine`](super::Engine) is the real one.
pub trait ChunkPolicy: Send {
    /// Actions a chunk holds.
    fn horizon(&self) -> usize;

    /// Values of noise a chunk needs: horizon x padded action dimension.
    fn noise_len(&self) -> usize;

    /// The cameras it looks through; [`SlotImage::slot`] counts in this order.
    fn slots(&self) -> &[CameraSlot];

    /// Computes a chunk into `out`, whose buffers are reused. On an error `out` is unspecified.
    ///
    /// Values are not judged here: a policy may return NaN, and the safety gate drops such a chunk.
    fn predict(&mut self, input: &PolicyInput<'_>, out: &mut Prediction) -> Result<(), PolicyError>;
}

/// A picture for one of the policy's cameras.
#[derive(Clone, Copy, Debug)]
pub struct SlotImage<'a> {
    /// Index in [`ChunkPolicy::slots`].
    pub slot: usize,
    /// The picture as the camera gave it.
    pub picture: Picture<'a>,
}

/// One observation.
#[derive(Clone, Copy, Debug)]
pub struct PolicyInput<'a> {
    /// One picture for each slot, in any order.
    pub images: &'a [SlotImage<'a>],
    /// The measured pose, degrees.
    pub state: DatasetAngles,
    /// Standard normal values, [`ChunkPolicy::noise_len`] of them.
    pub noise: &'a [f32],
    /// What the chunk goes on from, with real-time chunking; `None` for a chunk that starts afresh.
    pub guidance: Option<Guidance<'a>>,
}

/// A chunk as the policy computed it.
#[derive(Clone, Debug, Default)]
pub struct Prediction {
    /// Normalised actions: distances from the dataset's mean in standard deviations.
    pub z_scores: Vec<[f32; JOINT_COUNT]>,
    /// The same actions in degrees.
    pub actions: Vec<DatasetAngles>,
    /// How close it stayed to the chunk that guided it, if one did.
    pub guidance: Option<GuidanceReport>,
    /// Where the time went.
    pub timings: StageTimings,
}

/// Wall time of each stage of one chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTimings {
    /// Resize, scale and normalise.
    pub preprocess: Duration,
    /// Vision encoder, all cameras.
    pub vision: Duration,
    /// Key/value cache of images, text and state.
    pub prefix: Duration,
    /// All flow matching steps.
    pub flow: Duration,
    /// Back to degrees.
    pub denormalise: Duration,
    /// From call to return.
    pub total: Duration,
}
