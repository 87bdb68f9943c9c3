//! What a recording came to.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::episode::run_log::LossRecord;

/// What the summary says of the log.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RecordingReport {
    /// The log.
    pub file: PathBuf,
    /// Ticks in it.
    pub ticks: u64,
    /// Pictures in it.
    pub frames: u64,
    /// What could not be recorded.
    pub lost: LossRecord,
    /// Whether the run can be played again from it.
    pub replayable: bool,
    /// Why recording ended before the run, if it did.
    pub stopped: Option<String>,
}

impl RecordingReport {
    /// Why the log is not the whole run; `None` where it is. Pictures that were dropped are counted, and no failure.
    pub fn failure(&self) -> Option<String> {
        if let Some(stopped) = &self.stopped {
            return Some(format!("the run log stopped after {} ticks ({stopped})", self.ticks));
        }
        (!self.replayable).then(|| {
            format!(
                "the run log cannot be played again: {} of its records found no room, since the disk was too slow",
                self.lost.control_records
            )
        })
    }
}

/// One line for people.
impl fmt::Display for RecordingReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, ticks, frames, lost, .. } = self;
        write!(formatter, "{} ({ticks} ticks, {frames} pictures", file.display())?;
        let dropped = lost.policy_frames + lost.other_frames;
        if dropped > 0 {
            write!(formatter, ", {dropped} pictures dropped")?;
        }
        formatter.write_str(")")?;
        match self.failure() {
            Some(failure) => write!(formatter, ": {failure}"),
            None => Ok(()),
        }
    }
}
