//! Everything a fresh Debian machine with Rust lacks, fetched into `.cache/` once.
//!
//! A library counts as there only when its own SHA-256 is right, so a half-written or damaged file is fetched again.

mod artifact;
mod digest;
mod pins;
mod prerequisites;
mod python_environment;
mod wheel;

use std::fs::{self, File};
use std::path::PathBuf;

use crate::failure::Failure;
use crate::workspace::Workspace;

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

/// The ONNX Runtime library that [`run`] installed.
pub(crate) fn onnxruntime_library(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let pins = pins::for_this_machine()?;
    Ok(artifact::library(workspace, &pins[0]))
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
