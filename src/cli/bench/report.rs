//! The benchmark's result, as a table and as JSON.

use std::path::PathBuf;

use serde::Serialize;

use super::pytorch::{PyTorch, PyTorchFacts};
use crate::policy::benchmark::{Percentiles, ResidentMemory, StagePercentiles, WeightTraffic};

/// `--json`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) bundle: PathBuf,
    /// The bundle's digest.
    pub(super) model_sha256: String,
    /// ONNX Runtime's version.
    pub(super) library: String,
    pub(super) cameras: usize,
    pub(super) chunks: u64,
    pub(super) warm_up: u64,
    pub(super) contenders: Vec<Contender>,
    pub(super) pytorch: Vec<PyTorchResult>,
    pub(super) weights: WeightTraffic,
    pub(super) bandwidth_gb_s: Option<f64>,
    /// Reading the weights at that bandwidth.
    pub(super) least_ms: Option<f64>,
    /// Of the whole process at the end.
    pub(super) memory: Option<ResidentMemory>,
}

/// One way to run the policy.
#[derive(Debug, Serialize)]
pub(super) struct Contender {
    pub(super) device: String,
    pub(super) threads: usize,
    pub(super) spinning: bool,
    pub(super) cuda_graph: bool,
    /// What opening and warming up added to the process.
    pub(super) memory_bytes: Option<u64>,
    pub(super) warm_up_ms: f64,
    pub(super) stages_ms: StagePercentiles,
}

/// LeRobot's PyTorch, in turns with the others.
#[derive(Debug, Serialize)]
pub(super) struct PyTorchResult {
    #[serde(flatten)]
    facts: PyTorchFacts,
    total_ms: Percentiles,
}

impl PyTorchResult {
    pub(super) fn new(pytorch: PyTorch, times_ms: Vec<f64>) -> Self {
        Self { facts: pytorch.into_facts(), total_ms: Percentiles::of_ms(times_ms) }
    }
}

impl Report {
    /// For people: one line a stage.
    pub(super) fn table(&self) -> String {
        let megabytes = |bytes: u64| bytes as f64 * 1e-6;
        let mut lines = vec![format!(
            "{}  sha256 {}…  ONNX Runtime {}  {} camera{}  {} chunks",
            self.bundle.display(),
            self.model_sha256.get(..12).unwrap_or_default(),
            self.library,
            self.cameras,
            if self.cameras == 1 { "" } else { "s" },
            self.chunks
        )];
        for contender in &self.contenders {
            let memory = contender
                .memory_bytes
                .map_or_else(String::new, |bytes| format!(", {:.0} MB", megabytes(bytes)));
            lines.push(format!(
                "\n{}, {} thread{}, spinning {}{}{memory}, warm-up {:.0} ms",
                contender.device,
                contender.threads,
                if contender.threads == 1 { "" } else { "s" },
                if contender.spinning { "on" } else { "off" },
                if contender.cuda_graph { ", CUDA graphs" } else { "" },
                contender.warm_up_ms
            ));
            lines.push(format!("{:<12} {:>10} {:>10} {:>10}", "ms", "p50", "p95", "p99"));
            for (name, stage) in contender.stages_ms.rows() {
                lines.push(row(name, stage));
            }
        }
        for reference in &self.pytorch {
            let facts = &reference.facts;
            lines.push(format!(
                "\n{} (torch {}, lerobot {}) on {}, {}, {} threads",
                facts.mode, facts.torch, facts.lerobot, facts.device, facts.dtype, facts.threads
            ));
            lines.push(row("total", reference.total_ms));
            for contender in &self.contenders {
                lines.push(format!(
                    "{} takes {:.2} of its time",
                    contender.device,
                    contender.stages_ms.total.p50 / reference.total_ms.p50
                ));
            }
        }
        lines.push(format!(
            "\nweights read a chunk: {:.1} MB{}",
            megabytes(self.weights.bytes_per_chunk),
            match (self.least_ms, self.bandwidth_gb_s) {
                (Some(least), Some(bandwidth)) => format!(", at least {least:.3} ms at {bandwidth} GB/s"),
                _ => String::new(),
            }
        ));
        if let Some(memory) = self.memory {
            lines.push(format!(
                "this process: {:.0} MB resident, {:.0} MB at most",
                megabytes(memory.resident_bytes),
                megabytes(memory.peak_bytes)
            ));
        }
        lines.join("\n")
    }
}

fn row(name: &str, times: Percentiles) -> String {
    format!("{name:<12} {:>10.3} {:>10.3} {:>10.3}", times.p50, times.p95, times.p99)
}
