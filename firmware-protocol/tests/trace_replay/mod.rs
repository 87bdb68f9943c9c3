//! Replays recorded runs of the vendor's firmware on the virtual board. Format of the records: `tests/data/README.md`.
//!
//! Shared by the test `golden_traces` and the example `replay_traces`. Nothing here panics on a malformed record: it is a
//! difference like any other.

mod record;
mod replay;
mod state;

use std::io::{BufRead, BufReader, Read};

use serde_json::Value;

/// How one family of cases went.
pub(crate) struct Outcome {
    /// Cases read.
    pub(crate) cases: usize,
    /// Name of each case that differs, and its first difference.
    pub(crate) differences: Vec<(String, String)>,
}

impl Outcome {
    /// Cases without a difference.
    pub(crate) fn matched(&self) -> usize {
        self.cases - self.differences.len()
    }
}

/// Replays every case of a gzip-compressed JSON-lines file.
pub(crate) fn replay_family(compressed: impl Read) -> Outcome {
    let mut outcome = Outcome { cases: 0, differences: Vec::new() };
    for line in BufReader::new(flate2::read::GzDecoder::new(compressed)).lines() {
        outcome.cases += 1;
        let place = || format!("line {}", outcome.cases);
        let (name, result) = match line {
            Ok(line) => replay_line(&line).unwrap_or_else(|error| (place(), Err(error))),
            // A broken file: the lines behind are out of reach.
            Err(error) => {
                outcome.differences.push((place(), error.to_string()));
                break;
            }
        };
        if let Err(difference) = result {
            outcome.differences.push((name, difference));
        }
    }
    outcome
}

fn replay_line(line: &str) -> Result<(String, Result<(), String>), String> {
    let case: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let name = case["case"].as_str().ok_or("a case without a name")?.to_owned();
    Ok((name, replay::replay(&case)))
}
