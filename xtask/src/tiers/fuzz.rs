//! The fuzz targets of `fuzz/`, on stable Rust.
//!
//! cargo-fuzz instruments with the compiler's own coverage pass (`-Cpasses=sancov-module`), which stable has; only the sanitizers
//! need nightly. Without them nothing is lost: what is fuzzed is safe Rust, with overflow checks and debug assertions on.

use std::fs;

use super::tools;
use crate::failure::Failure;
use crate::process;
use crate::workspace::Workspace;

/// Seconds of each target in `test-full`.
const SHORT_S: u64 = 20;
/// An input that takes longer is a finding, s.
const STUCK_S: u64 = 20;
/// So is one that needs more memory, MiB.
const MEMORY_MIB: u64 = 1024;
/// Longest input, bytes.
const LONGEST: u64 = 2048;

/// The names of all targets, in order: one file each in `fuzz/fuzz_targets/`.
pub(super) fn targets(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let folder = workspace.join("fuzz/fuzz_targets");
    let failed = |error| Failure::io("list", &folder, &error);
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

/// Every target for a short while.
pub(super) fn all(workspace: &Workspace) -> Result<(), Failure> {
    targets(workspace)?.iter().try_for_each(|target| run(workspace, target, SHORT_S))
}

/// One target for so many seconds. libFuzzer says at the end how many inputs it ran; what it finds lies in `fuzz/artifacts/`.
pub(super) fn run(workspace: &Workspace, target: &str, seconds: u64) -> Result<(), Failure> {
    let cargo_fuzz = tools::cargo_tool(workspace, "cargo-fuzz", "0.13.2")?;
    let corpus = format!("fuzz/corpus/{target}");
    let folder = workspace.join(&corpus);
    fs::create_dir_all(&folder).map_err(|error| Failure::io("create", &folder, &error))?;
    let mut fuzz = process::command(workspace, cargo_fuzz);
    fuzz.args(["run", "--fuzz-dir", "fuzz", "--sanitizer", "none", target, &corpus]);
    fuzz.args([&format!("fuzz/seeds/{target}"), "--", "-dict=fuzz/tokens.dict", "-print_final_stats=1"]);
    for (option, value) in [
        ("max_total_time", seconds),
        ("timeout", STUCK_S),
        ("rss_limit_mb", MEMORY_MIB),
        ("max_len", LONGEST),
    ] {
        fuzz.arg(format!("-{option}={value}"));
    }
    process::run(&format!("fuzzing {target} (what it found is in fuzz/artifacts/{target}/)"), &mut fuzz)
}
