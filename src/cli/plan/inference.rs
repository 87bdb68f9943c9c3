//! Where the policy runs, and the policy that is ready to run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::argument::parse_threads;
use crate::cli::exit::CliError;
use crate::cli::terminal::Progress;
use crate::config::{self, ChunkConfig, Config};
use crate::inject::Drill;
use crate::policy::{
    Bundle, ChunkPolicy, ChunkProducer, Device, Engine, EngineOptions, LibraryCandidates, WarmUpStage,
    find_library,
};
use crate::types::RealTimeChunking;

/// Where a policy comes from and where it runs.
#[derive(Args, Clone, Debug, Default)]
pub(in crate::cli) struct PolicyFlags {
    /// Where inference runs: cpu, cuda, cuda:N, tensorrt or tensorrt:N; a device that is not available is an error
    #[arg(long, value_name = "DEVICE")]
    pub(in crate::cli) device: Option<Device>,
    /// Threads for inference on the processor [default: all cores but one]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(in crate::cli) threads: Option<usize>,
    /// Let idle inference threads spin: takes the cores of camera, link and control
    #[arg(long)]
    pub(in crate::cli) spinning: bool,
    /// Replay each graph as a CUDA graph (on a GPU)
    #[arg(long)]
    pub(in crate::cli) cuda_graph: bool,
    /// ONNX Runtime library to load [default: configuration, ORT_DYLIB_PATH, .cache, beside the program]
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) onnxruntime: Option<PathBuf>,
}

/// Finds ONNX Runtime: flag, configuration, environment, cache, beside the program.
pub(in crate::cli) fn onnxruntime(flags: &PolicyFlags, config: &Config) -> Result<PathBuf, CliError> {
    let beside = std::env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
    let device = device(flags, config);
    let candidates = LibraryCandidates {
        flag: flags.onnxruntime.clone(),
        config: config.policy.library.clone(),
        environment: std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from),
        folders: library_folders(beside.as_deref(), device),
        device,
    };
    Ok(find_library(&candidates)?)
}

/// The cache of `cargo xtask setup`, in the working folder or above the program (`target/release` lies in the clone), then
/// the program's own folder; for a GPU the folder `onnxruntime-gpu` in it first.
fn library_folders(program: Option<&Path>, device: Device) -> Vec<PathBuf> {
    let (cache, beside) = match device {
        Device::Cpu => (".cache/onnxruntime/1.31.1", None),
        Device::Cuda { .. } | Device::TensorRt { .. } => {
            (".cache/onnxruntime-gpu/1.31.1", Some("onnxruntime-gpu"))
        }
    };
    let above =
        program.into_iter().flat_map(|folder| folder.ancestors().take(4)).map(|folder| folder.join(cache));
    let apart = program.and_then(|folder| beside.map(|name| folder.join(name)));
    std::iter::once(PathBuf::from(cache))
        .chain(above)
        .chain(apart)
        .chain(program.map(Path::to_owned))
        .collect()
}

/// The device that flags or configuration ask for.
pub(in crate::cli) fn device(flags: &PolicyFlags, config: &Config) -> Device {
    flags.device.unwrap_or(match config.policy.device {
        config::Device::Cpu => Device::Cpu,
        config::Device::Cuda => Device::Cuda { index: 0 },
        config::Device::TensorRt => Device::TensorRt { index: 0 },
    })
}

/// Opens a bundle's engine.
pub(in crate::cli) fn engine(
    bundle: &Bundle,
    flags: &PolicyFlags,
    config: &Config,
) -> Result<Engine, CliError> {
    let options = EngineOptions {
        device: device(flags, config),
        threads: flags
            .threads
            .or_else(|| config.policy.threads.and_then(|threads| usize::try_from(threads).ok())),
        spinning: flags.spinning || config.policy.spinning,
        cuda_graph: flags.cuda_graph || config.policy.cuda_graph,
        tensorrt_cache: Some(
            config.policy.tensorrt_cache.clone().unwrap_or_else(|| PathBuf::from(".cache/tensorrt")),
        ),
        action_scale: config.policy.action_scale as f32,
        // Control gives a chunk up a little earlier, and names the cause; this frees the device then.
        limit: Some(inference_timeout(config) + Duration::from_millis(500)),
        ..EngineOptions::new(onnxruntime(flags, config)?)
    };
    Ok(Engine::new(bundle, &options)?)
}

/// How long control waits for a chunk.
pub(super) fn inference_timeout(config: &Config) -> Duration {
    Duration::from_millis(config.safety.max_observation_age_ms.into()) + Duration::from_secs(1)
}

/// What people read while the policy warms up.
pub(in crate::cli) fn warm_up_text(device: Device, stage: WarmUpStage) -> String {
    match stage {
        WarmUpStage::Vision { slot, slots } => {
            format!("warming up on {device}: camera {} of {slots}", slot + 1)
        }
        WarmUpStage::Flow => format!("warming up on {device}: the flow loop"),
    }
}

/// An engine that knows its task, warmed up, with seeded noise.
pub(in crate::cli) fn producer(
    mut engine: Engine,
    task: &str,
    seed: u64,
    chunks: &ChunkConfig,
    drill: Option<&Drill>,
) -> Result<ChunkProducer, CliError> {
    if task.trim().is_empty() {
        return Err(CliError::Arguments(
            "the task is empty: pass --task with the instruction that the policy was trained on".to_owned(),
        ));
    }
    engine.set_task(task)?;
    let (device, mut progress) = (engine.device(), Progress::new());
    let warmed_up = engine.warm_up_with(|stage| progress.update(|| warm_up_text(device, stage)));
    progress.finish();
    warmed_up?;
    let policy: Box<dyn ChunkPolicy> = Box::new(engine);
    let policy = match drill {
        Some(drill) => drill.policy(policy),
        None => policy,
    };
    Ok(ChunkProducer::new(policy, seed).with_real_time_chunking(real_time_chunking(chunks)))
}

/// How the policy's side guides chunks that go on from others.
pub(in crate::cli) fn real_time_chunking(chunks: &ChunkConfig) -> RealTimeChunking {
    RealTimeChunking {
        schedule: chunks.prefix_attention_schedule,
        execution_horizon: usize::try_from(chunks.execution_horizon).unwrap_or(usize::MAX),
        max_guidance_weight: chunks.max_guidance_weight as f32,
        ..RealTimeChunking::default()
    }
}
