//! A recorded run in place of devices. The same core gets the same inputs and must give the same outputs, bit by bit; the same policy
//! sees the same pictures and must say the same.
//!
//! A core or a policy that gives something else is another program, library or machine, or has something in it that is not an input.

use std::path::Path;

use super::{Difference, ReplayError, chunks, ticks};
use crate::episode::run_log::{Record, RunLogReader};
use crate::policy::ChunkProducer;

/// What a replay came to.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct ReplayReport {
    /// Ticks that were played again.
    pub ticks: u64,
    /// Commands that the core gave in them.
    pub commands: u64,
    /// Chunks that the policy was asked for again.
    pub chunks: u64,
    /// Chunks that it could not be asked for again, since pictures that it saw are missing.
    pub chunks_without_pictures: u64,
    /// Whether everything is the same.
    pub identical: bool,
    /// The first tick, or else the first chunk, that differs.
    pub difference: Option<Difference>,
    /// Why the log ends before its run; `None` for a whole one.
    pub cut: Option<String>,
}

/// Plays the run of a log again, with the policy if one is given.
///
/// # Errors
/// If the log cannot be read, ticks or chunks are missing in it, or the policy fails.
pub fn replay(path: &Path, policy: Option<&mut ChunkProducer>) -> Result<ReplayReport, ReplayError> {
    // Twice: a tick may stand before the chunk that it plays, since both come by their own queue.
    let chunks = chunks::RecordedChunks::read(path)?;
    let mut reader = RunLogReader::open(path)?;
    let mut ticks = ticks::TickReplay::new(reader.run().parameters.clone());
    let mut inference = policy.map(chunks::ChunkReplay::new);
    let mut report = ReplayReport::default();
    while let Some(record) = reader.next_record()? {
        match record {
            Record::Control(record) => {
                let difference = ticks.play(&record, &chunks)?;
                report.commands += u64::from(record.command.is_some());
                report.ticks += 1;
                report.difference = report.difference.or(difference);
            }
            Record::Observation(record) => {
                if let Some(inference) = &mut inference {
                    inference.observe(*record);
                }
            }
            Record::Frame(record) => {
                if let Some(inference) = &mut inference {
                    inference.add_frame(record);
                }
            }
            _ => {}
        }
        if report.difference.is_some() {
            // What follows from a difference differs, too.
            break;
        }
        if let Some(inference) = &mut inference {
            report.difference = inference.infer(&chunks)?;
        }
    }
    if let Some(inference) = &inference {
        report.chunks = inference.inferred();
        report.chunks_without_pictures = inference.waiting();
    }
    let state = reader.state();
    report.cut = state.cut.clone().or_else(|| state.damage.first().cloned());
    report.identical = report.difference.is_none();
    Ok(report)
}
