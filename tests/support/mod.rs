//! What several tests need: the shipped bundle and copies of it, an engine, the program itself, ports, and the board's log.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod board_log;
pub(crate) mod bundle_copy;
pub(crate) mod port;
pub(crate) mod program;

use std::path::{Path, PathBuf};

use roarm::policy::{Bundle, ChunkProducer, Engine, EngineOptions, LibraryCandidates, find_library};

/// A path inside the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The library that `cargo xtask setup` fetches.
pub(crate) fn onnxruntime() -> PathBuf {
    let folders = vec![repository(".cache/onnxruntime/1.31.1")];
    find_library(&LibraryCandidates { folders, ..LibraryCandidates::default() })
        .unwrap_or_else(|error| panic!("{error} (tests need `cargo xtask setup` once)"))
}

/// The shipped bundle.
pub(crate) fn tiny_bundle() -> Bundle {
    Bundle::load(&repository("models/smolvla-tiny")).expect("the shipped bundle is whole")
}

/// An engine on the processor.
pub(crate) fn engine(bundle: &Bundle) -> Engine {
    let options = EngineOptions { threads: Some(1), ..EngineOptions::new(onnxruntime()) };
    Engine::new(bundle, &options).expect("the shipped bundle opens")
}

/// The shipped policy with a task it was made for.
pub(crate) fn producer(bundle: &Bundle, seed: u64) -> ChunkProducer {
    let mut engine = engine(bundle);
    engine.set_task("Open the gripper.").expect("the task fits");
    ChunkProducer::new(Box::new(engine), seed)
}
