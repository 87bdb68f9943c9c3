//! The parity fixture: what PyTorch computed for one observation.

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use serde::Deserialize;

use super::files::CheckedFiles;
use super::manifest::Manifest;
use super::tensors::{self, TensorFault};
use crate::policy::Guidance;
use crate::policy::PolicyError;
use crate::types::{DatasetAngles, JOINT_COUNT, PrefixAttentionSchedule, RealTimeChunking, ShortLeftOver};

const TENSORS: &str = "parity.safetensors";
const CASE: &str = "parity.json";

/// Inputs, noise and outputs as PyTorch computed them.
#[derive(Clone, Debug)]
pub(crate) struct ParityFixture {
    pub(crate) task: String,
    pub(crate) limits: Limits,
    /// One picture a slot, in the order of the slots.
    pub(crate) images: Vec<FloatImage>,
    pub(crate) state: DatasetAngles,
    pub(crate) noise: Vec<f32>,
    pub(crate) lang_tokens: Vec<i64>,
    pub(crate) lang_mask: Vec<u8>,
    /// Padded.
    pub(crate) state_norm: Vec<f32>,
    /// The vision encoder's input, one a slot.
    pub(crate) pixels: Vec<Vec<f32>>,
    pub(crate) chunk_norm: Vec<f32>,
    /// Degrees.
    pub(crate) chunk: Vec<f32>,
    /// The same observation and noise, guided by a previous chunk. Empty in bundles of format 1.0.
    pub(crate) guided: Vec<GuidedCase>,
}

/// A chunk as LeRobot's real-time chunking guided it.
#[derive(Clone, Debug)]
pub(crate) struct GuidedCase {
    inference_delay: usize,
    settings: RealTimeChunking,
    previous: Vec<f32>,
    pub(crate) chunk_norm: Vec<f32>,
}

impl GuidedCase {
    pub(crate) fn guidance(&self) -> Guidance<'_> {
        Guidance {
            previous_actions: self.previous.as_chunks().0,
            inference_delay: self.inference_delay,
            settings: self.settings,
        }
    }
}

/// A picture as LeRobot hands it to the policy: 3 planes of values from 0 to 1.
#[derive(Clone, Debug)]
pub(crate) struct FloatImage {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) planes: Vec<f32>,
}

/// Largest absolute differences that are accepted.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Limits {
    pub(crate) state_norm: f64,
    pub(crate) pixels: f64,
    pub(crate) chunk_norm: f64,
    pub(crate) chunk: f64,
    /// Of the mean of the absolute differences of all z-scores; since format 1.2, and only where the exporter demands one.
    pub(crate) chunk_norm_mean: Option<f64>,
}

#[derive(Deserialize)]
struct Case {
    task: String,
    limits: Limits,
    /// Since format 1.1.
    #[serde(default)]
    real_time_chunking: Vec<GuidedParameters>,
}

/// The arguments of LeRobot's `predict_action_chunk` and `RTCConfig`, under their names.
#[derive(Deserialize)]
struct GuidedParameters {
    schedule: String,
    inference_delay: usize,
    execution_horizon: usize,
    max_guidance_weight: f32,
}

impl ParityFixture {
    pub(super) fn read(files: &CheckedFiles, manifest: &Manifest) -> Result<Self, PolicyError> {
        let case_path = files.path(CASE)?;
        let case: Case = serde_json::from_slice(&files.read(CASE)?)
            .map_err(|error| PolicyError::Malformed { path: case_path.clone(), reason: error.to_string() })?;
        check_limits(&case_path, &case.limits)?;

        let reader = Reader { path: files.path(TENSORS)? };
        let bytes = files.read(TENSORS)?;
        let file = tensors::parse(&bytes, &reader.path)?;
        let Manifest { chunk, action, state, language, cameras, .. } = manifest;
        let mut images = Vec::new();
        let mut pixels = Vec::new();
        for slot in &cameras.slots {
            images.push(reader.image(&file, &format!("image.{}", slot.name))?);
            let shape = [1, 3, cameras.input_height, cameras.input_width];
            pixels.push(reader.float32(&file, &format!("pixels.{}", slot.name), &shape)?);
        }
        let pose = reader.float32(&file, "state", &[state.dim])?;
        let pose: [f32; JOINT_COUNT] = pose.try_into().map_err(|_| reader.fault("state", "is no pose"))?;
        let chunk_shape = [1, chunk.horizon, action.dim];
        let guided = case.real_time_chunking.iter().enumerate();
        let guided = guided.map(|(index, parameters)| reader.guided(&file, index, parameters, &chunk_shape));
        let guided = guided.collect::<Result<_, _>>()?;
        Ok(Self {
            task: case.task,
            limits: case.limits,
            images,
            state: DatasetAngles::from_array_deg(pose.map(f64::from)),
            noise: reader.float32(&file, "noise", &[1, chunk.horizon, action.padded_dim])?,
            lang_tokens: tensors::int64(&file, "lang_tokens", &[language.width])
                .map_err(|TensorFault(problem)| reader.fault("lang_tokens", &problem))?,
            lang_mask: tensors::uint8(&file, "lang_mask", &[language.width])
                .map_err(|TensorFault(problem)| reader.fault("lang_mask", &problem))?,
            state_norm: reader.float32(&file, "state_norm", &[state.padded_dim])?,
            pixels,
            chunk_norm: reader.float32(&file, "chunk_norm", &chunk_shape)?,
            chunk: reader.float32(&file, "chunk", &chunk_shape)?,
            guided,
        })
    }
}

fn check_limits(path: &Path, limits: &Limits) -> Result<(), PolicyError> {
    for (name, limit) in [
        ("state_norm", limits.state_norm),
        ("pixels", limits.pixels),
        ("chunk_norm", limits.chunk_norm),
        ("chunk", limits.chunk),
        ("chunk_norm_mean", limits.chunk_norm_mean.unwrap_or(limits.chunk_norm)),
    ] {
        if !(limit.is_finite() && limit > 0.0) {
            return Err(PolicyError::Parity {
                path: path.to_owned(),
                tensor: format!("limits.{name}"),
                problem: format!("is {limit}, expected a number above 0"),
            });
        }
    }
    Ok(())
}

struct Reader {
    path: PathBuf,
}

impl Reader {
    fn fault(&self, tensor: &str, problem: &str) -> PolicyError {
        PolicyError::Parity {
            path: self.path.clone(),
            tensor: tensor.to_owned(),
            problem: problem.to_owned(),
        }
    }

    fn float32(&self, file: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<Vec<f32>, PolicyError> {
        tensors::float32(file, name, shape).map_err(|TensorFault(problem)| self.fault(name, &problem))
    }

    fn guided(
        &self,
        file: &SafeTensors<'_>,
        index: usize,
        parameters: &GuidedParameters,
        chunk_shape: &[usize; 3],
    ) -> Result<GuidedCase, PolicyError> {
        let name = |tensor: &str| format!("real_time_chunking.{index}.{tensor}");
        let schedule: PrefixAttentionSchedule =
            parameters.schedule.parse().map_err(|unknown: crate::types::UnknownSchedule| {
                self.fault(&name("schedule"), &unknown.to_string())
            })?;
        let previous = name("previous");
        let shape = tensors::shape(file, &previous)
            .map_err(|TensorFault(problem)| self.fault(&previous, &problem))?;
        if shape.len() != 2 || shape[1] != JOINT_COUNT {
            return Err(
                self.fault(&previous, &format!("has the shape {shape:?}, expected [actions, {JOINT_COUNT}]"))
            );
        }
        Ok(GuidedCase {
            inference_delay: parameters.inference_delay,
            settings: RealTimeChunking {
                schedule,
                execution_horizon: parameters.execution_horizon,
                max_guidance_weight: parameters.max_guidance_weight,
                short_left_over: ShortLeftOver::ShortenHorizon,
            },
            previous: self.float32(file, &previous, &shape)?,
            chunk_norm: self.float32(file, &name("chunk_norm"), chunk_shape)?,
        })
    }

    fn image(&self, file: &SafeTensors<'_>, name: &str) -> Result<FloatImage, PolicyError> {
        let shape = tensors::shape(file, name).map_err(|TensorFault(problem)| self.fault(name, &problem))?;
        let &[3, height, width] = shape.as_slice() else {
            return Err(self.fault(name, &format!("has the shape {shape:?}, expected [3, height, width]")));
        };
        let planes = self.float32(file, name, &shape)?;
        match (u32::try_from(width), u32::try_from(height)) {
            (Ok(width), Ok(height)) => Ok(FloatImage { width, height, planes }),
            _ => Err(self.fault(name, "is too large")),
        }
    }
}
