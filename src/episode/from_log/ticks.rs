//! What a dataset needs of a log's ticks.

use std::collections::BTreeSet;
use std::path::Path;

use crate::control::{EndCause, Phase};
use crate::episode::EpisodeError;
use crate::episode::run_log::{ControlRecord, EndRecord, LossRecord, Record, RunLogReader, RunRecord};
use crate::types::{JointAngles, MAX_CAMERAS, Timestamp};

/// One tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoggedTick {
    pub(super) number: u64,
    pub(super) now: Timestamp,
    /// Where the run stood.
    pub(super) phase: Phase,
    /// The newest measured pose.
    pub(super) measured: Option<JointAngles>,
    /// The goal commanded last.
    pub(super) goal: Option<JointAngles>,
    /// When the newest picture of each slot was taken.
    pub(super) pictures: [Option<Timestamp>; MAX_CAMERAS],
}

/// A log without its pixels.
pub(super) struct LoggedTicks {
    pub(super) run: RunRecord,
    pub(super) ticks: Vec<LoggedTick>,
    /// When the pictures of each slot that the log holds were taken, in order.
    pub(super) pictures: Vec<Vec<Timestamp>>,
    /// Width and height of each slot's pictures; `None` where it has none.
    pub(super) sizes: Vec<Option<(u32, u32)>>,
    pub(super) end: Option<EndRecord>,
    pub(super) lost: LossRecord,
    /// Why the log is not whole.
    pub(super) broken: Option<String>,
}

impl LoggedTicks {
    pub(super) fn read(path: &Path) -> Result<Self, EpisodeError> {
        let mut reader = RunLogReader::open(path)?.decode_only(|_, _| false);
        let run = reader.run().clone();
        let slots = run.cameras.len();
        let mut known = Known::default();
        let (mut ticks, mut end, mut lost) = (Vec::new(), None, LossRecord::default());
        let mut sizes = vec![None; slots];
        let mut taken: Vec<BTreeSet<Timestamp>> = vec![BTreeSet::new(); slots];
        while let Some(record) = reader.next_record()? {
            match record {
                Record::Control(record) => ticks.push(known.tick(&record)),
                Record::Frame(frame) => {
                    let Some(taken) = taken.get_mut(frame.slot) else { continue };
                    let size = (frame.metadata.width, frame.metadata.height);
                    if *sizes[frame.slot].get_or_insert(size) != size {
                        let problem = format!(
                            "the pictures of camera {} change their size",
                            run.cameras[frame.slot].name
                        );
                        return Err(EpisodeError::unfit(path, problem));
                    }
                    taken.insert(frame.metadata.captured);
                }
                Record::Lost(record) => lost = record,
                Record::End(record) => {
                    lost = if record.cut.is_empty() { record.lost } else { lost };
                    end = Some(record);
                }
                _ => {}
            }
        }
        let state = reader.state();
        let cut = end.as_ref().map(|end| end.cut.clone()).filter(|cut| !cut.is_empty());
        let endless = end.is_none().then(|| "it has no end record".to_owned());
        let broken = state.cut.clone().or_else(|| state.damage.first().cloned()).or(cut).or(endless);
        let pictures = taken.into_iter().map(|taken| taken.into_iter().collect());
        Ok(Self { run, ticks, pictures: pictures.collect(), sizes, end, lost, broken })
    }

    /// Why the run ended, as far as the log tells.
    pub(super) fn cause(&self) -> Option<EndCause> {
        self.end.as_ref().and_then(|end| end.cause)
    }
}

/// What stays true until something newer comes.
#[derive(Default)]
struct Known {
    measured: Option<JointAngles>,
    goal: Option<JointAngles>,
    pictures: [Option<Timestamp>; MAX_CAMERAS],
}

impl Known {
    fn tick(&mut self, record: &ControlRecord) -> LoggedTick {
        self.measured = record.feedback.map(|sample| sample.angles).or(self.measured);
        self.goal = record.command.map(|command| command.goal).or(self.goal);
        for (known, frame) in self.pictures.iter_mut().zip(record.frames) {
            *known = frame.map(|frame| frame.captured).or(*known);
        }
        LoggedTick {
            number: record.tick,
            now: record.now,
            phase: record.phase,
            measured: self.measured,
            goal: self.goal,
            pictures: self.pictures,
        }
    }
}
