//! From an observation request to a chunk in the joint frame: the same for the live and the virtual-time shell.

use super::real_time_chunking::PreviousChunks;
use super::state_noise::perturbed;
use super::{
    ChunkPolicy, ChunkReport, GuidanceReport, Interrupter, NoiseGenerator, PolicyError, PolicyInput,
    Prediction, SlotImage, StageTimings,
};
use crate::types::{
    Chunk, DatasetAngles, Frame, JOINT_COUNT, JointAngles, MAX_CAMERAS, ObservationRequest, Picture,
    RealTimeChunking, Timestamp,
};

/// A policy with its noise and its buffers.
pub struct ChunkProducer {
    policy: Box<dyn ChunkPolicy>,
    seed: u64,
    noise: NoiseGenerator,
    noise_values: Vec<f32>,
    prediction: Prediction,
    actions: Vec<JointAngles>,
    chunking: RealTimeChunking,
    previous: PreviousChunks,
    report: Option<ChunkReport>,
}

impl ChunkProducer {
    /// A producer whose chunks depend on `seed`, their number and what the policy sees, on nothing else.
    pub fn new(policy: Box<dyn ChunkPolicy>, seed: u64) -> Self {
        let noise_values = vec![0.0; policy.noise_len()];
        let actions = Vec::with_capacity(policy.horizon());
        let previous = PreviousChunks::new(policy.horizon());
        Self {
            policy,
            seed,
            report: None,
            noise: NoiseGenerator::new(seed),
            noise_values,
            prediction: Prediction::default(),
            actions,
            chunking: RealTimeChunking::default(),
            previous,
        }
    }

    /// Sets how chunks go on from the ones before, for requests that ask for it.
    #[must_use]
    pub fn with_real_time_chunking(self, chunking: RealTimeChunking) -> Self {
        Self { chunking, ..self }
    }

    /// Begins another episode with noise of this seed: what was said before is forgotten.
    pub fn begin_episode(&mut self, seed: u64) {
        (self.seed, self.noise) = (seed, NoiseGenerator::new(seed));
        self.previous = PreviousChunks::new(self.policy.horizon());
        self.report = None;
    }

    /// Infers the chunk that was asked for, guided by the one that it continues if the request names one of the last two. `frames`
    /// holds a picture for each slot, in slot order; inference begins at `started`, and `finished` is read when it is over.
    pub fn produce(
        &mut self,
        request: &ObservationRequest,
        frames: &[impl AsRef<Frame>],
        started: Timestamp,
        finished: impl FnOnce() -> Timestamp,
    ) -> Result<Chunk, PolicyError> {
        self.report = None;
        self.noise.fill(request.chunk_id, &mut self.noise_values);
        let mut images = [SlotImage { slot: 0, picture: Picture::rgb8(0, 0, &[]) }; MAX_CAMERAS];
        for (slot, (image, frame)) in images.iter_mut().zip(frames).enumerate() {
            *image = SlotImage { slot, picture: frame.as_ref().picture() };
        }
        let state = request
            .perturbation
            .map_or(request.state, |perturbation| perturbed(request.state, &perturbation, request.chunk_id));
        let continued = request.continues;
        let guidance =
            continued.map(|continued| self.previous.guidance(continued, self.chunking)).transpose()?;
        let input = PolicyInput {
            images: &images[..frames.len().min(MAX_CAMERAS)],
            state: DatasetAngles::from(state),
            noise: &self.noise_values,
            guidance,
        };
        self.policy.predict(&input, &mut self.prediction)?;
        self.previous.remember(request.chunk_id, &self.prediction.z_scores);
        self.actions.clear();
        self.actions.extend(self.prediction.actions.iter().copied().map(JointAngles::from));
        let finished = finished();
        self.report = Some(ChunkReport {
            chunk_id: request.chunk_id,
            noise_seed: self.seed,
            timings: self.prediction.timings,
            observation_age_start: started.since(request.observed),
            observation_age_end: finished.since(request.observed),
            z: self.prediction.z_statistics,
            action_scale: self.prediction.action_scale,
            guidance: self.prediction.guidance,
        });
        Ok(Chunk::new(request.chunk_id, request.observed, request.tick, finished, &self.actions)?)
    }

    /// What is known of the last chunk; `None` before the first and after a failed one.
    pub const fn report(&self) -> Option<&ChunkReport> {
        self.report.as_ref()
    }

    /// Seed of the noise.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The z-scores of the last chunk, as the policy said them.
    pub fn z_scores(&self) -> &[[f32; JOINT_COUNT]] {
        &self.prediction.z_scores
    }

    /// The noise that the last chunk started from.
    pub fn noise(&self) -> &[f32] {
        &self.noise_values
    }

    /// Runs the policy once for nothing, before an episode.
    pub fn warm_up(&mut self) -> Result<(), PolicyError> {
        self.policy.warm_up()
    }

    /// Ends chunks from other threads, if the policy can be ended.
    pub fn interrupter(&self) -> Option<Interrupter> {
        self.policy.interrupter()
    }

    /// How close the last chunk stayed to the one it continued, if it did.
    pub const fn guidance(&self) -> Option<&GuidanceReport> {
        self.prediction.guidance.as_ref()
    }

    /// Where the time of the last chunk went.
    pub const fn timings(&self) -> &StageTimings {
        &self.prediction.timings
    }
}
