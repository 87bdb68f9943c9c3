//! Where the graphs run.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use ort::ep::{self, ExecutionProviderDispatch};
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::Session;

use crate::policy::PolicyError;
use crate::policy::bundle::Compute;

/// The device that was asked for. There is no fallback from one to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU.
    Cuda {
        /// Which one, from 0.
        index: u32,
    },
    /// An NVIDIA GPU through TensorRT. What TensorRT cannot compute runs in CUDA on the same GPU.
    TensorRt {
        /// Which one, from 0.
        index: u32,
    },
}

/// What the provider of a GPU is told beyond its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::policy) struct ProviderSettings {
    pub(super) cuda_graph: bool,
    /// TensorRT may compute in half precision: the graphs do.
    pub(super) half_precision: bool,
    /// Folder of TensorRT's engines and timings.
    pub(super) tensorrt_cache: Option<PathBuf>,
}

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => formatter.write_str("cpu"),
            Self::Cuda { index } => write!(formatter, "cuda:{index}"),
            Self::TensorRt { index } => write!(formatter, "tensorrt:{index}"),
        }
    }
}

/// The text names no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown device `{0}`: use cpu, cuda, cuda:N, tensorrt or tensorrt:N")]
pub struct UnknownDevice(String);

impl FromStr for Device {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownDevice(text.to_owned());
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "cuda" => Ok(Self::Cuda { index: 0 }),
            None if text == "tensorrt" => Ok(Self::TensorRt { index: 0 }),
            Some(("cuda", index)) => Ok(Self::Cuda { index: index.parse().map_err(|_| unknown())? }),
            Some(("tensorrt", index)) => Ok(Self::TensorRt { index: index.parse().map_err(|_| unknown())? }),
            _ => Err(unknown()),
        }
    }
}

impl Device {
    /// Whether the processor's memory is not the device's.
    pub(super) fn is_gpu(self) -> bool {
        self != Self::Cpu
    }

    /// The execution providers to register, best first.
    ///
    /// Without `error_on_failure` a missing CUDA library would mean the processor, 20 times slower, without a word.
    pub(in crate::policy) fn providers(self, settings: &ProviderSettings) -> Vec<ExecutionProviderDispatch> {
        let number = |index: u32| i32::try_from(index).unwrap_or(i32::MAX);
        let cuda = |index, graph| {
            ep::CUDA::default()
                .with_device_id(number(index))
                .with_cuda_graph(graph)
                .build()
                .error_on_failure()
        };
        match self {
            // The arena grows in powers of two and never shrinks: with the full model it holds an eighth of the weights' size in spare.
            Self::Cpu => vec![ep::CPU::default().with_arena_allocator(false).build().error_on_failure()],
            Self::Cuda { index } => vec![cuda(index, settings.cuda_graph)],
            Self::TensorRt { index } => {
                let mut tensorrt = ep::TensorRT::default()
                    .with_device_id(number(index))
                    .with_fp16(settings.half_precision)
                    .with_cuda_graph(settings.cuda_graph);
                if let Some(folder) = &settings.tensorrt_cache {
                    let folder = folder.display();
                    tensorrt = tensorrt
                        .with_engine_cache(true)
                        .with_engine_cache_path(&folder)
                        .with_timing_cache(true)
                        .with_timing_cache_path(&folder);
                }
                // A CUDA graph can be captured by one provider of a session only.
                vec![tensorrt.build().error_on_failure(), cuda(index, false)]
            }
        }
    }

    /// Refuses 8-bit graphs away from the processor: ONNX Runtime would compute them there all the same, without a word.
    pub(super) fn check_compute(self, compute: Compute) -> Result<(), PolicyError> {
        match (self, compute) {
            (Self::Cpu, _) | (_, Compute::Float32 | Compute::Float16) => Ok(()),
            (Self::Cuda { .. } | Self::TensorRt { .. }, Compute::Int8) => {
                Err(PolicyError::ComputeNotOnDevice { compute, device: self.to_string() })
            }
        }
    }

    /// Why the provider failed and what to do, from ONNX Runtime's message.
    pub(in crate::policy) fn unavailable(self, reason: &str) -> PolicyError {
        PolicyError::ProviderUnavailable {
            provider: match self {
                Self::Cpu => "CPU",
                Self::Cuda { .. } => "CUDA",
                Self::TensorRt { .. } => "TensorRT",
            },
            reason: reason.trim().trim_end_matches('.').to_owned(),
            fix: fix(reason),
        }
    }

    /// Memory of this device, for values that stay there between two graphs.
    pub(super) fn allocator(self, session: &Session) -> ort::Result<Allocator> {
        match self {
            Self::Cpu => Ok(Allocator::default()),
            Self::Cuda { index } | Self::TensorRt { index } => {
                let index = i32::try_from(index).unwrap_or(i32::MAX);
                let memory = MemoryInfo::new(
                    AllocationDevice::CUDA,
                    index,
                    AllocatorType::Device,
                    MemoryType::Default,
                )?;
                Allocator::new(session, memory)
            }
        }
    }
}

fn fix(reason: &str) -> String {
    let asked = "or ask for the processor with --device cpu (roarm never falls back by itself)";
    let missing = |library: &str| reason.contains(&format!("{library}: cannot open shared object file"));
    if reason.contains("not enabled in this build") {
        format!(
            "This ONNX Runtime library is built for the processor only: `cargo xtask setup --device cuda` fetches the one of the onnxruntime-gpu wheel, {asked}"
        )
    } else if missing("libcuda.so.1") {
        format!("libcuda.so.1 belongs to the NVIDIA driver: install driver 580 or newer, {asked}")
    } else if missing("libnvinfer.so.10") || missing("libnvonnxparser.so.10") {
        format!(
            "Install TensorRT 10 (libnvinfer and libnvonnxparser) where the loader finds it, or use --device cuda, {asked}"
        )
    } else if ["libcublas", "libcudart", "libcurand", "libcufft", "libnvrtc"]
        .iter()
        .any(|name| reason.contains(name))
    {
        format!(
            "Get CUDA 13's libraries with `cargo xtask setup --device cuda` (or pip: nvidia-cublas nvidia-cuda-runtime nvidia-curand, where the loader finds them), {asked}"
        )
    } else if reason.contains("libcudnn") {
        format!(
            "Get cuDNN 9 for CUDA 13 with `cargo xtask setup --device cuda` (or pip: nvidia-cudnn-cu13, where the loader finds it), {asked}"
        )
    } else if reason.contains("libonnxruntime_providers") {
        format!(
            "Put libonnxruntime_providers_cuda.so and libonnxruntime_providers_shared.so of the same onnxruntime-gpu wheel beside the library, {asked}"
        )
    } else {
        format!("Check the driver with nvidia-smi, {asked}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_go_both_ways() {
        let (cuda, tensorrt) = (Device::Cuda { index: 3 }, Device::TensorRt { index: 1 });
        for device in [Device::Cpu, Device::Cuda { index: 0 }, cuda, tensorrt] {
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        assert_eq!("cuda".parse(), Ok(Device::Cuda { index: 0 }));
        assert_eq!("tensorrt".parse(), Ok(Device::TensorRt { index: 0 }));
        for text in ["gpu", "tensorrt:x", "cuda:", "cuda:-1", "cpu:0", ""] {
            assert!(text.parse::<Device>().is_err(), "{text}");
        }
    }

    #[test]
    fn eight_bits_are_for_processors() {
        for compute in [Compute::Float32, Compute::Float16, Compute::Int8] {
            assert!(Device::Cpu.check_compute(compute).is_ok());
        }
        let cuda = Device::Cuda { index: 1 };
        assert!(cuda.check_compute(Compute::Float16).is_ok());
        let message = cuda.check_compute(Compute::Int8).unwrap_err().to_string();
        assert!(
            message.contains("int8") && message.contains("cuda:1") && message.contains("--dtype fp16"),
            "{message}"
        );
    }

    #[test]
    fn the_fix_names_the_missing_library() {
        let reason = "Failed to load library libonnxruntime_providers_cuda.so with error: libcublasLt.so.13: cannot open shared object file: No such file or directory";
        let message = Device::Cuda { index: 0 }.unavailable(reason).to_string();
        assert!(message.contains("libcublasLt.so.13") && message.contains("nvidia-cublas"), "{message}");
        assert!(fix("libnvinfer.so.10: cannot open shared object file").contains("TensorRT 10"));
        assert!(fix("libcuda.so.1: cannot open shared object file").contains("driver"));
        assert!(fix("CUDA execution provider is not enabled in this build.").contains("onnxruntime-gpu"));
    }
}
