//! Runs a bundle's graphs in ONNX Runtime: preprocess, vision, prefix, flow loop, denormalise.

mod device;
mod graph;
mod interruption;
mod memory;
mod options;
mod stages;
mod tensorrt;

use std::time::Instant;

pub use device::{Device, UnknownDevice};
pub use interruption::Interrupter;
pub use options::EngineOptions;
pub(super) use stages::Pixels;
pub use tensorrt::TensorRtCacheKey;

pub(super) use self::device::ProviderSettings;
use self::graph::{Graph, SessionSettings};
use self::interruption::Interruptible;
use self::memory::Memory;
use super::bundle::manifest::{Dtype, Manifest};
use super::bundle::{Bundle, CameraSlot, Normalization};
use super::language::{TaskTokenizer, TaskTokens, TokenCount};
use super::real_time_chunking::PreparedGuidance;
use super::resize::ResizeWithPad;
use super::{ChunkPolicy, OnnxRuntime, PolicyError, PolicyInput, Prediction, StageTimings};
use crate::types::{Joint, Picture};

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
    interruption: Interruptible,
    action_scale: f32,
}

/// A stage of the warm-up; on a GPU the first run of a graph may take minutes, while its kernels are chosen or built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmUpStage {
    /// The vision encoder on the picture of this slot.
    Vision {
        /// From 0.
        slot: usize,
        /// How many there are.
        slots: usize,
    },
    /// Key/value cache and flow loop.
    Flow,
}

impl Engine {
    /// Loads ONNX Runtime, opens the three graphs and checks them against the bundle's contract.
    pub fn new(bundle: &Bundle, options: &EngineOptions) -> Result<Self, PolicyError> {
        let runtime = OnnxRuntime::load_for(&options.library, options.device)?;
        let (contract, device, threads) = (bundle.contract(), options.device, options.resolved_threads());
        device.check_compute(contract.compute)?;
        let settings = SessionSettings {
            runtime: &runtime,
            device,
            threads,
            spinning: options.spinning,
            device_buffers: options.device_buffers,
            provider: provider_settings(bundle, options)?,
        };
        let open = |name, graph: &super::bundle::manifest::GraphContract| {
            Graph::open(name, bundle.path(&graph.file)?, graph, &settings)
        };
        // The largest first: while a graph is opened, parts of its file are in memory twice.
        let mut prefix = open("prefix", &contract.graphs.prefix)?;
        let mut vision = open("vision", &contract.graphs.vision)?;
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
            interruption: Interruptible::new(options.limit)?,
            action_scale: options.action_scale.clamp(0.0, 1.0),
        })
    }

    /// Sets the task for the chunks to come. Errors leave the previous task in place.
    ///
    /// Tokens go to the device here and nowhere else: a chunk uploads none.
    pub fn set_task(&mut self, task: &str) -> Result<TokenCount, PolicyError> {
        let tokens = self.tokenizer.encode(task)?;
        if self.task.as_ref() != Some(&tokens) {
            self.load_task(&tokens)?;
        }
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
        self.warm_up_with(|_| {})
    }

    /// As [`Engine::warm_up`]; `progress` is called before each stage.
    pub fn warm_up_with(
        &mut self,
        mut progress: impl FnMut(WarmUpStage),
    ) -> Result<StageTimings, PolicyError> {
        let result = self.run_warm_up(&mut progress);
        // Whoever asked for the end in between gets that answer.
        self.interruption.finish()?;
        result
    }

    fn run_warm_up(&mut self, progress: &mut dyn FnMut(WarmUpStage)) -> Result<StageTimings, PolicyError> {
        let start = Instant::now();
        let mut timings = StageTimings::default();
        let slots = self.contract.cameras.slots.len();
        for slot in 0..slots {
            progress(WarmUpStage::Vision { slot, slots });
            let CameraSlot { width, height, .. } = self.contract.cameras.slots[slot];
            let black = vec![0; width as usize * height as usize * 3];
            self.see(slot, &Pixels::Camera(Picture::rgb8(width, height, &black)), &mut timings)?;
        }
        progress(WarmUpStage::Flow);
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

    /// Ends chunks of this engine from other threads.
    pub fn interrupter(&self) -> Interrupter {
        self.interruption.interrupter()
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
        self.interruption.begin();
        let result = self.run(input, out);
        // Whoever ended the chunk is the cause, whatever the graph that was running says.
        self.interruption.finish()?;
        result
    }

    fn warm_up(&mut self) -> Result<(), PolicyError> {
        Self::warm_up(self).map(drop)
    }

    fn interrupter(&self) -> Option<Interrupter> {
        Some(Self::interrupter(self))
    }
}

impl Engine {
    fn run(&mut self, input: &PolicyInput<'_>, out: &mut Prediction) -> Result<(), PolicyError> {
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

/// What the GPU's provider is told; TensorRT's folder is made.
fn provider_settings(bundle: &Bundle, options: &EngineOptions) -> Result<ProviderSettings, PolicyError> {
    let tensors = bundle.contract().graphs().into_iter().flat_map(|(_, graph)| &graph.inputs);
    let half_precision = tensors.into_iter().any(|tensor| tensor.dtype == Dtype::Float16);
    let mut settings =
        ProviderSettings { cuda_graph: options.cuda_graph, half_precision, tensorrt_cache: None };
    if let (Device::TensorRt { index }, Some(root)) = (options.device, &options.tensorrt_cache) {
        let key = TensorRtCacheKey {
            model_sha256: bundle.digest().to_owned(),
            gpu: tensorrt::gpu_name(index).unwrap_or_default(),
            tensorrt: tensorrt::version_in(&tensorrt::usual_folders(&options.library)).unwrap_or_default(),
            half_precision,
        };
        let folder = key.folder(root);
        std::fs::create_dir_all(&folder)
            .map_err(|source| PolicyError::Unwritable { path: folder.clone(), source })?;
        settings.tensorrt_cache = Some(folder);
    }
    Ok(settings)
}
