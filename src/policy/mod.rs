//! The policy engine: bundle, tokenizer, image preprocessing, normalisation, ONNX graphs, flow matching loop.
//!
//! [`Bundle::load`] checks a folder, [`Engine::new`] opens its graphs, [`ChunkPolicy::predict`] turns an observation into a chunk of
//! pose targets in degrees. Noise is an input ([`NoiseGenerator`]), so the same seed and observation give the same chunk.
//! [`verify`] proves the whole way against what PyTorch computed. All numbers follow LeRobot 0.4.4.

pub mod benchmark;
pub mod bundle;
mod chunk_policy;
mod chunk_producer;
mod chunk_report;
mod chunk_source;
mod cuda_libraries;
mod engine;
mod error;
mod language;
mod library;
mod noise;
pub mod real_time_chunking;
mod resize;
mod state_noise;
mod time_embedding;
mod verify;

pub use bundle::{Bundle, BundleSummary, CameraFit, CameraSlot, Compute, Normalization, Statistics};
pub use chunk_policy::{ChunkPolicy, PolicyInput, Prediction, SlotImage, StageTimings};
pub use chunk_producer::ChunkProducer;
pub use chunk_report::{ChunkReport, ChunkReports, ZStatistics};
pub use chunk_source::ChunkSource;
pub use cuda_libraries::{
    CUDA_LIBRARIES, CudaLibrary, LibraryOrigin, OLDEST_DRIVER_CUDA, PROVIDER_LIBRARIES, driver_cuda_version,
    open_cuda_library, preload_cuda,
};
pub use engine::{Device, Engine, EngineOptions, Interrupter, TensorRtCacheKey, UnknownDevice, WarmUpStage};
pub use error::PolicyError;
pub use language::{TaskTokenizer, TaskTokens, TokenCount};
pub use library::{LibraryCandidates, OnnxRuntime, find_library};
pub use noise::NoiseGenerator;
pub use real_time_chunking::{Guidance, GuidanceReport};
pub use resize::ResizeWithPad;
pub use time_embedding::time_embeddings;
pub use verify::{Check, VerifyReport, verify};
