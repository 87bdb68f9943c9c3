//! `roarm policy bench`: how long a chunk takes here, stage by stage, on one or several devices and against PyTorch.

mod pytorch;
mod report;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use self::pytorch::{PyTorch, PyTorchRequest};
use self::report::{Contender, PyTorchResult, Report};
use super::exit::{CliError, Exit};
use super::plan::{self, PolicyFlags};
use super::terminal::{self, Progress};
use crate::config::Config;
use crate::policy::benchmark::{BenchmarkObservation, StagePercentiles, WeightTraffic, resident_memory};
use crate::policy::{Bundle, Device, Engine, EngineOptions, Prediction, StageTimings};

/// What to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Against {
    /// LeRobot's own code, as it runs
    Pytorch,
    /// LeRobot's own code under torch.compile
    PytorchCompile,
}

/// Whether idle threads of the processor spin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Spinning {
    Off,
    On,
}

#[derive(Args, Debug)]
pub(super) struct BenchFlags {
    /// The policy bundle's folder
    bundle: PathBuf,
    /// Where inference runs: cpu, cuda, cuda:N, tensorrt or tensorrt:N; several, separated by commas, take turns
    #[arg(long, value_name = "DEVICE", value_delimiter = ',', default_value = "cpu")]
    device: Vec<Device>,
    /// Threads for inference on the processor; several take turns [default: all cores but one]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = plan::parse_threads)]
    threads: Vec<usize>,
    /// Whether idle threads spin; several take turns
    #[arg(long, value_name = "off|on", value_delimiter = ',', default_value = "off")]
    spinning: Vec<Spinning>,
    /// Replay each graph as a CUDA graph (on a GPU)
    #[arg(long)]
    cuda_graph: bool,
    /// Chunks to time
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    chunks: u64,
    /// Chunks before those, not timed
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1000))]
    warm_up: u64,
    /// Compare with LeRobot's PyTorch on the same weights; needs --checkpoint
    #[arg(long, value_name = "WHAT", value_delimiter = ',', requires = "checkpoint")]
    against: Vec<Against>,
    /// The checkpoint that the bundle was exported from (its `pretrained_model` folder)
    #[arg(long, value_name = "DIR")]
    checkpoint: Option<PathBuf>,
    /// The VLM's folder, as the exporter's --vlm [default: beside the checkpoint, else the name in its config]
    #[arg(long, value_name = "DIR")]
    vlm: Option<PathBuf>,
    /// A Python that has torch and lerobot
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: PathBuf,
    /// Type that PyTorch computes in: float32, float16 or bfloat16
    #[arg(long, value_name = "TYPE", default_value = "float32")]
    pytorch_dtype: String,
    /// The memory's bandwidth, GB/s: prints the least time that reading the weights takes
    #[arg(long, value_name = "GB/S")]
    bandwidth: Option<f64>,
    /// Where TensorRT keeps its engines
    #[arg(long, value_name = "DIR")]
    tensorrt_cache: Option<PathBuf>,
    /// ONNX Runtime library to load [default: configuration, ORT_DYLIB_PATH, .cache, beside the program]
    #[arg(long, value_name = "FILE")]
    onnxruntime: Option<PathBuf>,
    /// Print one JSON object on the last line of standard output
    #[arg(long)]
    pub(super) json: bool,
}

/// One way to run the policy, opened.
struct Entry {
    engine: Engine,
    spinning: bool,
    /// What opening and warming it up added to this process.
    memory_bytes: Option<u64>,
    warm_up: StageTimings,
    timings: Vec<StageTimings>,
}

pub(super) fn bench(flags: &BenchFlags) -> Result<Exit, CliError> {
    if flags.bandwidth.is_some_and(|bandwidth| !(bandwidth.is_finite() && bandwidth > 0.0)) {
        return Err(CliError::Arguments("--bandwidth is in GB/s and above 0, such as 3350".to_owned()));
    }
    let bundle = Bundle::load(&flags.bundle)?;
    let mut observation = BenchmarkObservation::new(&bundle)?;
    let progress = &mut Progress::new();
    let mut entries = open_all(flags, &bundle, observation.task(), progress)?;
    let threads = entries.first().map_or(1, |entry| entry.engine.threads());
    let mut references = Vec::new();
    for against in &flags.against {
        let request = PyTorchRequest {
            python: &flags.python,
            checkpoint: flags.checkpoint.as_deref().unwrap_or(&flags.bundle),
            vlm: flags.vlm.as_deref(),
            weights_sha256: &bundle.contract().provenance.checkpoint_sha256,
            task: observation.task(),
            device: flags.device[0],
            dtype: &flags.pytorch_dtype,
            compile: *against == Against::PytorchCompile,
            threads,
            warm_up: flags.warm_up,
        };
        progress.say(format!("starting {}: loading may take a minute", request.label()));
        references.push((PyTorch::start(&request)?, Vec::new()));
    }
    let mut out = Prediction::default();
    // The first round of each, in turns like the timed ones.
    for chunk in 0..flags.warm_up + flags.chunks {
        progress.update(|| format!("chunk {} of {}", chunk + 1, flags.warm_up + flags.chunks));
        let timed = chunk >= flags.warm_up;
        for entry in &mut entries {
            let timings = observation.run(&mut entry.engine, chunk, &mut out)?;
            if timed {
                entry.timings.push(timings);
            }
        }
        for (pytorch, times) in &mut references {
            // It has warmed itself up.
            if timed {
                times.push(pytorch.chunk()?);
            }
        }
    }
    progress.finish();
    let report = report(flags, &bundle, &entries, references);
    if flags.json {
        terminal::say(report.table());
        terminal::print_json(&report);
    } else {
        terminal::print(report.table());
    }
    Ok(Exit::Done)
}

/// Every combination of devices, threads and spinning.
fn open_all(
    flags: &BenchFlags,
    bundle: &Bundle,
    task: &str,
    progress: &mut Progress,
) -> Result<Vec<Entry>, CliError> {
    let config = Config::defaults();
    let inference = PolicyFlags { onnxruntime: flags.onnxruntime.clone(), ..PolicyFlags::default() };
    let library = plan::onnxruntime(&inference, &config)?;
    let threads: Vec<Option<usize>> =
        if flags.threads.is_empty() { vec![None] } else { flags.threads.iter().copied().map(Some).collect() };
    let mut entries = Vec::new();
    for device in &flags.device {
        for threads in &threads {
            for spinning in &flags.spinning {
                let options = EngineOptions {
                    device: *device,
                    threads: *threads,
                    spinning: *spinning == Spinning::On,
                    cuda_graph: flags.cuda_graph,
                    tensorrt_cache: flags.tensorrt_cache.clone(),
                    ..EngineOptions::new(library.clone())
                };
                let before = resident_memory().map(|memory| memory.resident_bytes);
                progress.update(|| format!("opening the policy on {device}"));
                let mut engine = Engine::new(bundle, &options)?;
                engine.set_task(task)?;
                let warm_up = engine.warm_up_with(|stage| {
                    progress.update(|| plan::warm_up_text(*device, stage));
                })?;
                let after = resident_memory().map(|memory| memory.resident_bytes);
                let memory_bytes = before.zip(after).map(|(before, after)| after.saturating_sub(before));
                let spinning = options.spinning;
                entries.push(Entry { engine, spinning, memory_bytes, warm_up, timings: Vec::new() });
            }
        }
    }
    Ok(entries)
}

fn report(
    flags: &BenchFlags,
    bundle: &Bundle,
    entries: &[Entry],
    references: Vec<(PyTorch, Vec<f64>)>,
) -> Report {
    let traffic = WeightTraffic::of(bundle);
    let contenders = entries.iter().map(|entry| Contender {
        device: entry.engine.device().to_string(),
        threads: entry.engine.threads(),
        spinning: entry.spinning,
        cuda_graph: flags.cuda_graph && entry.engine.device() != Device::Cpu,
        memory_bytes: entry.memory_bytes,
        warm_up_ms: entry.warm_up.total.as_secs_f64() * 1e3,
        stages_ms: StagePercentiles::of(&entry.timings),
    });
    let library = entries.first().map(|entry| entry.engine.runtime().version());
    Report {
        bundle: flags.bundle.clone(),
        model_sha256: bundle.digest().to_owned(),
        library: library.unwrap_or_default(),
        cameras: bundle.slots().len(),
        chunks: flags.chunks,
        warm_up: flags.warm_up,
        contenders: contenders.collect(),
        pytorch: references.into_iter().map(|(pytorch, times)| PyTorchResult::new(pytorch, times)).collect(),
        least_ms: flags.bandwidth.map(|bandwidth| traffic.least_ms(bandwidth * 1e9)),
        bandwidth_gb_s: flags.bandwidth,
        weights: traffic,
        memory: resident_memory(),
    }
}
