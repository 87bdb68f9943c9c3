//! How to run a policy.

use std::path::PathBuf;
use std::time::Duration;

use super::Device;

/// How to run a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineOptions {
    /// Where the graphs run. If it is not available, that is an error.
    pub device: Device,
    /// Threads on the processor; `None` for all cores but one, which the control loop keeps.
    pub threads: Option<usize>,
    /// Whether idle threads of the processor spin between operators. They take the cores of camera, link and control.
    pub spinning: bool,
    /// Whether each graph is captured as a CUDA graph in its first run and replayed afterwards. On the processor it means nothing.
    pub cuda_graph: bool,
    /// Whether inputs and outputs have memory of their own on the device, written by explicit copies. On a GPU they always have; on the
    /// processor this costs a copy and serves to test that way.
    pub device_buffers: bool,
    /// Where TensorRT keeps its engines, in a folder for each [`TensorRtCacheKey`](super::TensorRtCacheKey); `None`: it builds them anew.
    pub tensorrt_cache: Option<PathBuf>,
    /// Longest time of a chunk; then it ends with [`PolicyError::TooSlow`](crate::policy::PolicyError::TooSlow). The warm-up has none.
    pub limit: Option<Duration>,
    /// What each z-score is multiplied with before it becomes degrees, 0 to 1: below 1 every action is pulled towards the mean of the
    /// training data, in each joint by the same share of its distance. See [`Prediction::actions`](crate::policy::Prediction::actions).
    pub action_scale: f32,
    /// The ONNX Runtime library; [`find_library`](crate::policy::find_library) finds it.
    pub library: PathBuf,
}

impl EngineOptions {
    /// The processor, all cores but one, no spinning, no limit, the policy's own actions.
    #[must_use]
    pub fn new(library: PathBuf) -> Self {
        Self {
            device: Device::Cpu,
            threads: None,
            spinning: false,
            cuda_graph: false,
            device_buffers: false,
            tensorrt_cache: None,
            limit: None,
            action_scale: 1.0,
            library,
        }
    }

    /// The number of threads: as asked for, else all cores but one, at least 1.
    pub fn resolved_threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or_else(|| cores() - 1).max(1)
    }
}
