//! Judges the virtual board by recorded runs of the vendor's firmware: `replay_traces DIR|FILE...` replays every
//! `*.jsonl.gz` and prints, family by family, how many cases match and where the first ones differ.
//!
//! Ends with status 1 if anything differs, 2 if a file cannot be read.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../tests/trace_replay/mod.rs"]
mod trace_replay;

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

/// Differences shown of each family.
const SHOWN: usize = 3;

fn files(argument: PathBuf) -> std::io::Result<Vec<PathBuf>> {
    if !argument.is_dir() {
        return Ok(vec![argument]);
    }
    let mut files = std::fs::read_dir(argument)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    files.retain(|file| file.to_string_lossy().ends_with(".jsonl.gz"));
    files.sort();
    Ok(files)
}

fn replay(arguments: impl Iterator<Item = PathBuf>) -> std::io::Result<bool> {
    let (mut matched, mut total) = (0, 0);
    for argument in arguments {
        for file in files(argument)? {
            let outcome = trace_replay::replay_family(File::open(&file)?);
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            println!("{name}: {} / {}", outcome.matched(), outcome.cases);
            for (case, difference) in outcome.differences.iter().take(SHOWN) {
                println!("  {case}: {difference}");
            }
            matched += outcome.matched();
            total += outcome.cases;
        }
    }
    println!("all: {matched} / {total}");
    Ok(matched == total && total > 0)
}

fn main() -> ExitCode {
    match replay(std::env::args_os().skip(1).map(PathBuf::from)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
