//! The stages of one chunk. `verify` runs them one by one.

use std::time::Instant;

use super::Engine;
use crate::policy::language::TaskTokens;
use crate::policy::real_time_chunking::{Guidance, GuidanceReport};
use crate::policy::resize::ResizeWithPad;
use crate::policy::time_embedding::flow_time;
use crate::policy::{PolicyError, Prediction, StageTimings};
use crate::types::{DatasetAngles, JOINT_COUNT, Picture};

/// A picture in one of the forms that preprocessing takes.
#[derive(Clone, Copy, Debug)]
pub(in crate::policy) enum Pixels<'a> {
    /// As a camera gave it.
    Camera(Picture<'a>),
    /// 3 planes of values from 0 to 1, as LeRobot has them.
    PlanarFloat { width: u32, height: u32, planes: &'a [f32] },
}

impl Engine {
    /// Makes the task's tokens the graph's input.
    pub(super) fn load_task(&mut self, task: &TaskTokens) -> Result<(), PolicyError> {
        self.memory.task_tokens.extract_tensor_mut().1.copy_from_slice(&task.ids);
        self.memory.task_mask.extract_tensor_mut().1.copy_from_slice(&task.mask);
        self.prefix.upload("lang_tokens", &self.memory.task_tokens)?;
        self.prefix.upload("lang_masks", &self.memory.task_mask)
    }

    /// Preprocesses a slot's picture and encodes it. `slot` is one of the contract's.
    pub(in crate::policy) fn see(
        &mut self,
        slot: usize,
        picture: &Pixels<'_>,
        timings: &mut StageTimings,
    ) -> Result<(), PolicyError> {
        let start = Instant::now();
        self.fill_pixels(slot, picture)?;
        let preprocessed = Instant::now();
        self.encode_pixels(slot)?;
        timings.preprocess += preprocessed - start;
        timings.vision += preprocessed.elapsed();
        Ok(())
    }

    /// Normalises the state, then runs prefix and flow loop. The result is read with [`Engine::read_chunk`].
    pub(in crate::policy) fn compute(
        &mut self,
        state: &DatasetAngles,
        noise: &[f32],
        guidance: Option<&Guidance<'_>>,
        timings: &mut StageTimings,
    ) -> Result<(), PolicyError> {
        let start = Instant::now();
        if let Some(guidance) = guidance {
            self.guidance.load(guidance)?;
        }
        self.load_state(state)?;
        let normalised = Instant::now();
        self.prefix.upload("img_emb", &self.memory.all_image_tokens)?;
        self.prefix.run()?;
        let cached = Instant::now();
        self.integrate(noise, guidance.is_some())?;
        timings.preprocess += normalised - start;
        timings.prefix += cached - normalised;
        timings.flow += cached.elapsed();
        Ok(())
    }

    /// Resizes and scales a picture into the vision encoder's input.
    fn fill_pixels(&mut self, slot: usize, picture: &Pixels<'_>) -> Result<(), PolicyError> {
        let (width, height, values) = match picture {
            Pixels::Camera(Picture { width, height, bytes, .. }) => (*width, *height, bytes.len()),
            Pixels::PlanarFloat { width, height, planes } => (*width, *height, planes.len()),
        };
        let resizer = &mut self.resizers[slot];
        if resizer.as_ref().is_none_or(|resizer| resizer.source() != (width, height)) {
            *resizer = ResizeWithPad::new(width, height, &self.contract.cameras);
        }
        let target = self.memory.pixels.extract_tensor_mut().1;
        let problem = match resizer {
            None => "it cannot be resized; sizes from 1 to 16384 that are not extremely narrow can",
            Some(resizer) => {
                let filled = match picture {
                    Pixels::Camera(picture) => resizer.picture(picture, target),
                    Pixels::PlanarFloat { planes, .. } => resizer.planar_float(planes, target),
                };
                if filled {
                    return Ok(());
                }
                "that is not what its size and pixel format need; check the camera's format"
            }
        };
        let slot = self.contract.cameras.slots[slot].name.clone();
        Err(PolicyError::PictureSize { slot, width, height, values, problem: problem.to_owned() })
    }

    /// Runs the vision encoder and puts the tokens in the slot's place.
    fn encode_pixels(&mut self, slot: usize) -> Result<(), PolicyError> {
        self.vision.upload("pixels", &self.memory.pixels)?;
        self.vision.run()?;
        let tokens = self.memory.image_tokens.extract_tensor().1;
        let place = slot * tokens.len()..(slot + 1) * tokens.len();
        self.memory.all_image_tokens.extract_tensor_mut().1[place].copy_from_slice(tokens);
        Ok(())
    }

    fn load_state(&mut self, state: &DatasetAngles) -> Result<(), PolicyError> {
        let normalised = self.normalization.normalize_state(*state);
        self.memory.state.extract_tensor_mut().1[..JOINT_COUNT].copy_from_slice(&normalised);
        self.prefix.upload("state", &self.memory.state)
    }

    /// Euler steps from noise at time 1 to actions at time 0, each corrected by the loaded guidance if `guided`.
    fn integrate(&mut self, noise: &[f32], guided: bool) -> Result<(), PolicyError> {
        let flow = &self.contract.flow;
        let step = (-1.0 / flow.steps as f64) as f32;
        self.memory.actions.extract_tensor_mut().1.copy_from_slice(noise);
        for (index, embedding) in self.time_embeddings.chunks_exact(flow.time_embedding_dim).enumerate() {
            self.memory.time_embedding.extract_tensor_mut().1.copy_from_slice(embedding);
            self.denoise.upload("x_t", &self.memory.actions)?;
            self.denoise.upload("time_emb", &self.memory.time_embedding)?;
            self.denoise.run()?;
            let velocity = self.memory.velocity.extract_tensor_mut().1;
            if guided {
                let noisy = self.memory.actions.extract_tensor().1;
                self.guidance.correct(velocity, noisy, flow_time(index, flow.steps));
            }
            for (action, velocity) in self.memory.actions.extract_tensor_mut().1.iter_mut().zip(velocity) {
                *action += step * *velocity;
            }
        }
        Ok(())
    }

    /// How close the chunk that was computed last, with guidance, stayed to what guided it.
    pub(in crate::policy) fn guidance_report(&self) -> GuidanceReport {
        self.guidance.report(self.memory.actions.extract_tensor().1)
    }

    /// The chunk that was computed last: z-scores and degrees.
    pub(in crate::policy) fn read_chunk(&self, out: &mut Prediction) {
        let start = Instant::now();
        let rows = self.memory.actions.extract_tensor().1.chunks_exact(self.contract.action.padded_dim);
        out.z_scores.clear();
        out.z_scores.extend(rows.filter_map(|row| row.first_chunk::<JOINT_COUNT>()).copied());
        out.actions.clear();
        out.actions.extend(out.z_scores.iter().map(|row| self.normalization.denormalize_action(*row)));
        out.timings.denormalise += start.elapsed();
    }

    /// The vision encoder's input as the last picture filled it.
    pub(in crate::policy) fn pixels(&self) -> &[f32] {
        self.memory.pixels.extract_tensor().1
    }

    /// The state as it was normalised last, padded.
    pub(in crate::policy) fn normalized_state(&self) -> &[f32] {
        self.memory.state.extract_tensor().1
    }
}
