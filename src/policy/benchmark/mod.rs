//! How long a chunk takes: one observation again and again, each stage timed.

mod memory;
mod percentiles;

use std::collections::BTreeMap;

use serde::Serialize;

pub use memory::{ResidentMemory, resident_memory};
pub use percentiles::{Percentiles, StagePercentiles};

use super::{
    Bundle, ChunkPolicy, Engine, NoiseGenerator, PolicyError, PolicyInput, Prediction, SlotImage,
    StageTimings,
};
use crate::types::{DatasetAngles, Picture};

/// The observation that a benchmark shows: pictures of the training data's size, the mean pose, the task of the bundle's parity case.
#[derive(Clone, Debug)]
pub struct BenchmarkObservation {
    task: String,
    /// RGB, one a slot.
    pictures: Vec<(u32, u32, Vec<u8>)>,
    state: DatasetAngles,
    noise: Vec<f32>,
}

impl BenchmarkObservation {
    /// The observation for this bundle.
    pub fn new(bundle: &Bundle) -> Result<Self, PolicyError> {
        let pictures = bundle.slots().iter().map(|slot| {
            let size = slot.width as usize * slot.height as usize * 3;
            // A gradient with grain: pictures of one colour could be cheaper somewhere.
            let bytes = (0..size).map(|index| ((index / 7) ^ (index * 31)) as u8).collect();
            (slot.width, slot.height, bytes)
        });
        let contract = bundle.contract();
        Ok(Self {
            task: bundle.parity()?.task,
            pictures: pictures.collect(),
            state: bundle.normalization().state.mean_pose(),
            noise: vec![0.0; contract.chunk.horizon * contract.action.padded_dim],
        })
    }

    /// The task, to be set before the first chunk.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// One chunk; noise is that of this number.
    pub fn run(
        &mut self,
        engine: &mut Engine,
        chunk: u64,
        out: &mut Prediction,
    ) -> Result<StageTimings, PolicyError> {
        NoiseGenerator::new(0).fill(chunk, &mut self.noise);
        let images: Vec<SlotImage<'_>> = self
            .pictures
            .iter()
            .enumerate()
            .map(|(slot, (width, height, bytes))| SlotImage {
                slot,
                picture: Picture::rgb8(*width, *height, bytes),
            })
            .collect();
        let input = PolicyInput { images: &images, state: self.state, noise: &self.noise, guidance: None };
        engine.predict(&input, out)?;
        Ok(out.timings)
    }
}

/// How many bytes of weights a chunk reads: what no engine can be faster than, divided by the memory's bandwidth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WeightTraffic {
    /// Size of each graph with its weights, bytes. The prefix's include the whole embedding table, of which few rows are read.
    pub graphs: BTreeMap<&'static str, u64>,
    /// Vision once a camera, prefix once, denoise once a flow step, bytes.
    pub bytes_per_chunk: u64,
}

impl WeightTraffic {
    /// Of a bundle, from the sizes of its files.
    pub fn of(bundle: &Bundle) -> Self {
        let (contract, summary) = (bundle.contract(), bundle.summary());
        let graphs: BTreeMap<_, u64> = contract
            .graphs()
            .into_iter()
            .map(|(name, graph)| {
                // Weights may lie beside the graph: vision.onnx and vision.onnx.data.
                let own = summary.files.iter().filter(|file| file.name.starts_with(&graph.file));
                (name, own.map(|file| file.bytes).sum())
            })
            .collect();
        let runs =
            [("vision", contract.cameras.slots.len()), ("prefix", 1), ("denoise", contract.flow.steps)];
        let bytes = runs.iter().map(|(name, runs)| graphs.get(name).copied().unwrap_or(0) * *runs as u64);
        Self { bytes_per_chunk: bytes.sum(), graphs }
    }

    /// Shortest time of a chunk in which each weight is read once a run, at this bandwidth in bytes a second; ms.
    pub fn least_ms(&self, bandwidth: f64) -> f64 {
        self.bytes_per_chunk as f64 / bandwidth * 1e3
    }
}
