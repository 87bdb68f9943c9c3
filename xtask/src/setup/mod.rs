//! Everything a fresh Debian machine with Rust lacks, fetched into `.cache/` once.
//!
//! A library counts as there only when its own SHA-256 is right, so a half-written or damaged file is fetched again.

mod artifact;
mod digest;
mod gpu;
mod pins;
mod prerequisites;
mod python_environment;
mod wheel;

use std::fs::{self, File};
use std::path::PathBuf;

use crate::failure::Failure;
use crate::workspace::Workspace;

pub(crate) use digest::of_file as sha256;
pub(crate) use python_environment::PythonEnvironment;

/// Makes the repository buildable. Without work to do it touches no network and prints nothing.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let pins = pins::for_this_machine()?;
    prerequisites::check_compilers()?;

    let _lock = lock(workspace)?;
    let mut missing = Vec::new();
    for pin in &pins {
        if !artifact::is_intact(workspace, pin)? {
            missing.push(pin);
        }
    }
    if !missing.is_empty() {
        prerequisites::check_python()?;
    }
    for pin in missing {
        artifact::install(workspace, pin)?;
    }
    artifact::link_compiler_headers(workspace)
}

/// What `cargo xtask setup` is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Device {
    /// What the build, the tests and a run on the processor need.
    Cpu,
    /// The libraries for an NVIDIA GPU as well.
    Cuda,
}

/// `cargo xtask setup [--device cpu|cuda]`.
pub(crate) fn verb(workspace: &Workspace, arguments: &[String]) -> Result<(), Failure> {
    let device = parse(arguments)?;
    run(workspace)?;
    match device {
        Device::Cpu => Ok(()),
        Device::Cuda => gpu::install(workspace),
    }
}

fn parse(arguments: &[String]) -> Result<Device, Failure> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        [] | ["--device", "cpu"] | ["--device=cpu"] => Ok(Device::Cpu),
        ["--device", "cuda"] | ["--device=cuda"] => Ok(Device::Cuda),
        _ => Err(Failure::usage("usage: cargo xtask setup [--device cpu|cuda]")),
    }
}

/// The ONNX Runtime library that [`run`] installed.
pub(crate) fn onnxruntime_library(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let pins = pins::for_this_machine()?;
    Ok(artifact::library(workspace, &pins[0]))
}

/// The ONNX Runtime library for an NVIDIA GPU, if `cargo xtask setup --device cuda` has installed it.
pub(crate) fn gpu_library(workspace: &Workspace) -> Option<PathBuf> {
    gpu::library(workspace)
}

/// Two set-ups at once (two terminals, an editor) wait for each other. The lock goes when the file is dropped.
pub(crate) fn lock(workspace: &Workspace) -> Result<File, Failure> {
    let cache = workspace.cache();
    fs::create_dir_all(&cache).map_err(|error| Failure::io("create", &cache, &error))?;
    let path = cache.join("setup.lock");
    let file = File::create(&path).map_err(|error| Failure::io("create", &path, &error))?;
    file.lock().map_err(|error| Failure::io("lock", &path, &error))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_device_is_read_and_nothing_else() {
        let parse = |line: &str| parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(parse("").unwrap(), Device::Cpu);
        assert_eq!(parse("--device cuda").unwrap(), Device::Cuda);
        assert_eq!(parse("--device=cuda").unwrap(), Device::Cuda);
        assert!(parse("--device").is_err() && parse("--device gpu").is_err() && parse("cuda").is_err());
    }
}
