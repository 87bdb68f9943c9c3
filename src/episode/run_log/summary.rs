//! What a log holds, in one page, and whether its run can be played again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::error::RunLogError;
use super::reader::RunLogReader;
use super::records::{FileHash, LossRecord, Record, RunRecord};
use crate::types::Timestamp;

/// The pictures of one camera.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct CameraSummary {
    /// The slot's name.
    pub name: String,
    /// What it is.
    pub source: String,
    /// Pictures in the log.
    pub frames: u64,
}

/// What a log holds.
#[derive(Clone, Debug, serde::Serialize)]
pub struct LogSummary {
    /// `major.minor`.
    pub format: String,
    /// Program and version that wrote it.
    pub program: String,
    /// `run` or `demo`.
    pub verb: String,
    /// When the run began on the wall clock, UTC.
    pub started: String,
    /// The instruction.
    pub task: String,
    /// The arm.
    pub arm: String,
    /// The board's generation.
    pub firmware: String,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes up to which all is verified.
    pub verified_bytes: u64,
    /// From the first tick to the last, s.
    pub duration_s: f64,
    /// Ticks.
    pub ticks: u64,
    /// Commands made.
    pub commands: u64,
    /// Observations.
    pub observations: u64,
    /// Chunks.
    pub chunks: u64,
    /// Cameras.
    pub cameras: Vec<CameraSummary>,
    /// Pictures that the policy saw and that are not in the log: its chunks cannot be computed again.
    pub policy_frames_missing: u64,
    /// What the recorder could not keep up with.
    pub lost: LossRecord,
    /// Why the run ended; `None` where the log does not say.
    pub ended: Option<String>,
    /// Whether the log is whole, from its first record to its end.
    pub complete: bool,
    /// Whether all that the core got and gave is there: the run can be played again, tick by tick.
    pub replayable: bool,
    /// Why it cannot.
    pub problems: Vec<String>,
    /// What ran.
    pub hashes: Vec<FileHash>,
}

/// Reads a whole log.
///
/// # Errors
/// As [`RunLogReader::open`].
pub fn summarise(path: &Path) -> Result<LogSummary, RunLogError> {
    let read_failed = |source| RunLogError::Read { path: path.to_owned(), source };
    let bytes = std::fs::metadata(path).map_err(read_failed)?.len();
    let mut reader = RunLogReader::open(path)?;
    let mut count = Count::default();
    while let Some(record) = reader.next_record()? {
        count.add(&record);
    }
    let state = reader.state().clone();
    let mut problems = count.problems();
    problems.extend(state.damage.iter().cloned());
    problems.extend(state.cut.iter().cloned());
    let complete =
        state.cut.is_none() && state.damage.is_empty() && count.end.is_some() && count.cut.is_none();
    let run = reader.run();
    Ok(LogSummary {
        format: run.format.to_string(),
        program: run.program.clone(),
        verb: run.verb.clone(),
        started: started(run),
        task: run.task.clone(),
        arm: run.arm.clone(),
        firmware: run.firmware.clone(),
        bytes,
        verified_bytes: state.verified_bytes,
        duration_s: count.last.zip(count.first).map_or(0.0, |(last, first)| last.seconds_since(first)),
        ticks: count.ticks,
        commands: count.commands,
        observations: count.observations,
        chunks: count.chunks.len() as u64,
        policy_frames_missing: count.policy_frames.difference(&count.frames).count() as u64,
        cameras: count.cameras(run),
        lost: count.lost,
        ended: count.end,
        complete,
        replayable: problems.is_empty(),
        problems,
        hashes: run.hashes.clone(),
    })
}

fn started(run: &RunRecord) -> String {
    let seconds = i64::try_from(run.wall_start_ns / 1_000_000_000).unwrap_or_default();
    chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Counts what comes along.
#[derive(Default)]
struct Count {
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    ticks: u64,
    last_tick: u64,
    gaps: u64,
    commands: u64,
    observations: u64,
    chunks: BTreeSet<u64>,
    consumed: BTreeSet<u64>,
    frames: BTreeSet<(usize, u64)>,
    by_slot: BTreeMap<usize, u64>,
    policy_frames: BTreeSet<(usize, u64)>,
    lost: LossRecord,
    end: Option<String>,
    cut: Option<String>,
}

impl Count {
    fn add(&mut self, record: &Record) {
        match record {
            Record::Control(record) => {
                self.first.get_or_insert(record.now);
                self.last = Some(record.now);
                self.ticks += 1;
                self.gaps += u64::from(record.tick != self.last_tick + 1);
                self.last_tick = record.tick;
                self.commands += u64::from(record.command.is_some());
                self.consumed.extend(record.chunk);
            }
            Record::Observation(record) => {
                self.observations += 1;
                let frames = record.frames.iter().enumerate();
                self.policy_frames
                    .extend(frames.filter_map(|(slot, frame)| Some((slot, frame.as_ref()?.id))));
            }
            Record::Chunk(record) => {
                self.chunks.insert(record.chunk.id);
            }
            Record::Frame(record) => {
                self.frames.insert((record.slot, record.metadata.id));
                *self.by_slot.entry(record.slot).or_default() += 1;
            }
            Record::Notice(_) => {}
            Record::Lost(lost) => self.lost = *lost,
            Record::End(record) => {
                if record.cut.is_empty() {
                    self.lost = record.lost;
                } else {
                    self.cut = Some(record.cut.clone());
                }
                self.end = Some(record.text.clone());
            }
        }
    }

    fn cameras(&self, run: &RunRecord) -> Vec<CameraSummary> {
        let cameras = run.cameras.iter().enumerate();
        let summary = |(slot, camera): (usize, &super::records::CameraRecord)| CameraSummary {
            name: camera.name.clone(),
            source: camera.source.clone(),
            frames: self.by_slot.get(&slot).copied().unwrap_or_default(),
        };
        cameras.map(summary).collect()
    }

    /// Why the run cannot be played again, as far as the records themselves tell.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.ticks == 0 {
            problems.push("it holds no tick".to_owned());
        }
        if self.gaps > 0 {
            problems.push(format!("ticks are missing in {} places", self.gaps));
        }
        let absent = self.consumed.difference(&self.chunks).count();
        if absent > 0 {
            problems.push(format!("{absent} chunks that were played are missing"));
        }
        if self.lost.control_records > 0 {
            let lost = self.lost.control_records;
            problems.push(format!(
                "{lost} records of ticks, observations or chunks were lost: the disk was too slow"
            ));
        }
        match (&self.cut, &self.end) {
            (Some(cut), _) => problems.push(format!("the log was cut before its run ended ({cut})")),
            (None, None) => problems.push("the log ends before its run: it has no end record".to_owned()),
            (None, Some(_)) => {}
        }
        problems
    }
}
