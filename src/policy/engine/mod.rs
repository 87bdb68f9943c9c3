//! Runs a bundle's graphs in ONNX Runtime: preprocess, vision, prefix, flow loop, denormalise.

mod device;
mod graph;
mod memory;
mod stages;

use std::path::PathBuf;
use std::time::Instant;

pub use device::{Device, UnknownDevice};
pub(super) use stages::Pixels;

use self::graph::Graph;
use self::memory::Memory;
use super::bundle::manifest::Manifest;
use super::bundle::{Bundle, CameraSlot, Normalization};
use super::language::{TaskTokenizer, TaskTokens, TokenCount};
use super::real_time_chunking::PreparedGuidance;
use super::resize::ResizeWithPad;
use super::{ChunkPolicy, OnnxRuntime, PolicyError, PolicyInput, Prediction, StageTimings};
use crate::types::{Joint, Picture};

/// How to run a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineOptions {
    /// Where the graphs run. If it is not available, that is an error.
    pub device: Device,
    /// Threads on the processor; `None` for all cores but one, which the control loop keeps.
    pub threads: Option<usize>,
    /// The ONNX Runtime library; [`find_library`](super::find_library) finds it.
    pub library: PathBuf,
}

impl EngineOptions {
    /// The number of threads: as asked for, else all cores but one, at least 1.
    pub fn resolved_threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or_else(|| cores() - 1).max(1)
    }
}

/// A policy, loaded and ready. After the first chunk with a camera size, none of our code allocates during [`ChunkPolicy::predict`].
pub struct Engine {
    contract: Manifest,
    normalization: Normalization,
    tokenizer: TaskTokenizer,
    runtime: OnnxRuntime,
    device: Device,
    threads: usize,
    vision: Graph,
    prefix: Graph,
    denoise: Graph,
    memory: Memory,
    /// One a slot, made for the size of its last picture.
    resizers: Vec<Option<ResizeWithPad>>,
    /// One row a flow step.
    time_embeddings: Vec<f32>,
    task: Option<TaskTokens>,
    guidance: PreparedGuidance,
}

impl Engine {
    /// Loads ONNX Runtime, opens the three graphs and checks them against the bundle's contract.
    pub fn new(bundle: &Bundle, options: &EngineOptions) -> Result<Self, PolicyError> {
        let runtime = OnnxRuntime::load(&options.library)?;
        let (contract, device, threads) = (bundle.contract(), options.device, options.resolved_threads());
        device.check_compute(contract.compute)?;
        let open = |name, graph: &super::bundle::manifest::GraphContract| {
            Graph::open(name, bundle.path(&graph.file)?, graph, &runtime, device, threads)
        };
        let mut vision = open("vision", &contract.graphs.vision)?;
        let mut prefix = open("prefix", &contract.graphs.prefix)?;
        let mut denoise = open("denoise", &contract.graphs.denoise)?;
        let memory = Memory::bind(contract, &mut vision, &mut prefix, &mut denoise)?;
        Ok(Self {
            normalization: bundle.normalization().clone(),
            tokenizer: bundle.tokenizer().clone(),
            device,
            threads,
            vision,
            prefix,
            denoise,
            memory,
            resizers: vec![None; contract.cameras.slots.len()],
            guidance: PreparedGuidance::new(
                contract.chunk.horizon,
                contract.action.padded_dim,
                contract.flow.steps,
            ),
            time_embeddings: super::time_embedding::time_embeddings(&contract.flow),
            contract: contract.clone(),
            runtime,
            task: None,
        })
    }

    /// Sets the task for the chunks to come. Errors leave the previous task in place.
    pub fn set_task(&mut self, task: &str) -> Result<TokenCount, PolicyError> {
        let tokens = self.tokenizer.encode(task)?;
        self.load_task(&tokens)?;
        let count = tokens.count();
        self.task = Some(tokens);
        Ok(count)
    }

    /// The task's tokens, as the policy reads them.
    pub fn task_tokens(&self) -> Option<&TaskTokens> {
        self.task.as_ref()
    }

    /// Runs every graph once on black pictures of the training data's size, so that the first real chunk is not slower than the rest.
    pub fn warm_up(&mut self) -> Result<StageTimings, PolicyError> {
        let start = Instant::now();
        let mut timings = StageTimings::default();
        for slot in 0..self.contract.cameras.slots.len() {
            let CameraSlot { width, height, .. } = self.contract.cameras.slots[slot];
            let black = vec![0; width as usize * height as usize * 3];
            self.see(slot, &Pixels::Camera(Picture::rgb8(width, height, &black)), &mut timings)?;
        }
        let noise = vec![0.0; self.noise_len()];
        let mean = self.normalization.state.mean_pose();
        self.compute(&mean, &noise, None, &mut timings)?;
        timings.total = start.elapsed();
        Ok(timings)
    }

    /// The device the graphs run on.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Threads the graphs use on the processor.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The loaded library.
    pub fn runtime(&self) -> &OnnxRuntime {
        &self.runtime
    }

    /// Every slot has exactly one picture; noise and state can be used.
    fn check(&self, input: &PolicyInput<'_>) -> Result<(), PolicyError> {
        if self.task.is_none() {
            return Err(PolicyError::NoTask);
        }
        let slots = &self.contract.cameras.slots;
        for (index, slot) in slots.iter().enumerate() {
            let count = input.images.iter().filter(|image| image.slot == index).count();
            if count != 1 {
                return Err(PolicyError::PictureCount { slot: slot.name.clone(), count });
            }
        }
        if let Some(image) = input.images.iter().find(|image| image.slot >= slots.len()) {
            return Err(PolicyError::UnknownSlot {
                name: format!("number {}", image.slot),
                known: slots.iter().map(|slot| slot.name.as_str()).collect::<Vec<_>>().join(", "),
                example: slots.first().map(|slot| slot.short_name().to_owned()).unwrap_or_default(),
            });
        }
        if input.noise.len() != self.noise_len() {
            return Err(PolicyError::NoiseLength { expected: self.noise_len(), found: input.noise.len() });
        }
        for joint in Joint::ALL {
            let value = input.state.get(joint);
            if !value.is_finite() {
                return Err(PolicyError::StateNotFinite { joint, value });
            }
        }
        Ok(())
    }
}

impl ChunkPolicy for Engine {
    fn horizon(&self) -> usize {
        self.contract.chunk.horizon
    }

    fn noise_len(&self) -> usize {
        self.contract.chunk.horizon * self.contract.action.padded_dim
    }

    fn slots(&self) -> &[CameraSlot] {
        &self.contract.cameras.slots
    }

    fn predict(&mut self, input: &PolicyInput<'_>, out: &mut Prediction) -> Result<(), PolicyError> {
        let start = Instant::now();
        self.check(input)?;
        out.timings = StageTimings::default();
        for image in input.images {
            self.see(image.slot, &Pixels::Camera(image.picture), &mut out.timings)?;
        }
        self.compute(&input.state, input.noise, input.guidance.as_ref(), &mut out.timings)?;
        self.read_chunk(out);
        out.guidance = input.guidance.map(|_| self.guidance_report());
        out.timings.total = start.elapsed();
        Ok(())
    }
}
