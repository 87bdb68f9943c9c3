//! The recorder thread: owns the file.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use super::inference_tap::InferenceRecord;
use super::{ControlQueue, FrameQueue, RecorderShared};
use crate::episode::run_log::{
    ControlRecord, EndRecord, LogFile, LossRecord, NoticeLevel, NoticeRecord, RunLogWriter, WriteFailed,
};
use crate::runtime::clock;
use crate::types::{Frame, Timestamp};

/// How often the queues are looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// A chunk is closed at least so often: what a kill may cost, with the time of a look.
const CLOSE_EVERY: Duration = Duration::from_millis(250);
/// Closed chunks are brought to the disk so often: with the time above, what a power cut may cost is a second.
const SYNC_EVERY: Duration = Duration::from_millis(750);
/// Pictures of a slot that are remembered as written: those that a camera and inference may both hand over.
const REMEMBERED: usize = 64;

/// What writes the log.
pub(in crate::runtime) struct Recorder {
    /// `None` once a write has failed.
    writer: Option<RunLogWriter<Box<dyn LogFile>>>,
    ticks: ControlQueue,
    inferred: Receiver<InferenceRecord>,
    frames: FrameQueue,
    shared: Arc<RecorderShared>,
    closed: Timestamp,
    phase: &'static str,
    told: LossRecord,
    written: HashMap<usize, VecDeque<u64>>,
}

impl Recorder {
    pub(super) fn new(
        writer: RunLogWriter<Box<dyn LogFile>>,
        ticks: ControlQueue,
        inferred: Receiver<InferenceRecord>,
        frames: FrameQueue,
        shared: Arc<RecorderShared>,
    ) -> Self {
        let now = clock::now();
        Self {
            writer: Some(writer),
            ticks,
            inferred,
            frames,
            shared,
            closed: now,
            phase: "",
            told: LossRecord::default(),
            written: HashMap::new(),
        }
    }

    /// Writes until the run has ended. A panic in here ends the recording, not the run.
    pub(in crate::runtime) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let ran = catch_unwind(AssertUnwindSafe(|| self.write_until_ended()));
        if ran.is_err() {
            stop(&shared, "the recorder thread panicked: this is a bug in roarm, please report it");
        }
        shared.done.store(true, Ordering::Release);
    }

    /// The disk is waited for by a thread of its own, so that chunks are closed in time meanwhile. It ends by itself.
    fn start_syncing(&self) -> Result<(), WriteFailed> {
        let Some(writer) = &self.writer else { return Ok(()) };
        let (mut sync, shared) = (writer.syncer()?, Arc::clone(&self.shared));
        thread::Builder::new().name("log sync".to_owned()).spawn(move || {
            while !shared.ending.load(Ordering::Acquire) {
                thread::sleep(SYNC_EVERY);
                if let Err(error) = sync() {
                    *shared.sync_failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    return;
                }
            }
        })?;
        Ok(())
    }

    fn write_until_ended(&mut self) {
        let started = self.start_syncing();
        self.judge(started);
        loop {
            // Before the last look at the queues: nothing comes after it.
            let ending = self.shared.ending.load(Ordering::Acquire);
            let result = self.drain().and_then(|()| self.keep_time());
            self.judge(result);
            if ending {
                break;
            }
            thread::park_timeout(LOOK_AGAIN);
        }
        let end = self.shared.end.lock().unwrap_or_else(PoisonError::into_inner).take();
        let lost = self.lost();
        let now = clock::now();
        if let (Some(writer), Some(end)) = (self.writer.take(), end) {
            let finished = writer.finish(now, &EndRecord { lost, ..end });
            self.judge(finished);
        }
        let mut report = self.shared.report.lock().unwrap_or_else(PoisonError::into_inner);
        report.lost = lost;
        report.replayable = report.stopped.is_none() && lost.control_records == 0;
    }

    /// Writes everything that waits: ticks first, pictures last.
    fn drain(&mut self) -> Result<(), WriteFailed> {
        loop {
            while let Some(record) = self.ticks.pop() {
                self.tick(&record)?;
            }
            while let Ok(record) = self.inferred.try_recv() {
                let Some(writer) = &mut self.writer else { continue };
                match record {
                    InferenceRecord::Observation(record) => writer.observation(&record)?,
                    InferenceRecord::Chunk(record) => writer.chunk(&record)?,
                }
            }
            let Some((slot, frame)) = self.frames.pop() else { return Ok(()) };
            self.frame(slot, &frame)?;
            // A picture takes long.
            self.keep_time()?;
        }
    }

    fn tick(&mut self, record: &ControlRecord) -> Result<(), WriteFailed> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        writer.control(record)?;
        if self.phase != record.phase.name() {
            self.phase = record.phase.name();
            let text = format!("{}, tick {}", self.phase, record.tick);
            writer.notice(&NoticeRecord { time: record.now, level: NoticeLevel::Info, text })?;
        }
        self.shared.report.lock().unwrap_or_else(PoisonError::into_inner).ticks += 1;
        Ok(())
    }

    fn frame(&mut self, slot: usize, frame: &Frame) -> Result<(), WriteFailed> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let written = self.written.entry(slot).or_default();
        if written.contains(&frame.metadata.id) {
            return Ok(());
        }
        writer.frame(slot, &frame.metadata, &frame.picture())?;
        written.push_back(frame.metadata.id);
        if written.len() > REMEMBERED {
            written.pop_front();
        }
        self.shared.report.lock().unwrap_or_else(PoisonError::into_inner).frames += 1;
        Ok(())
    }

    fn lost(&self) -> LossRecord {
        let (policy_frames, other_frames) = self.frames.dropped();
        let control_records = self.shared.control_lost.load(Ordering::Relaxed);
        LossRecord { control_records, policy_frames, other_frames }
    }

    /// Closes chunks and syncs when it is time, and notes what was lost.
    fn keep_time(&mut self) -> Result<(), WriteFailed> {
        let (now, lost) = (clock::now(), self.lost());
        let Some(writer) = &mut self.writer else { return Ok(()) };
        if now.since(self.closed) >= CLOSE_EVERY {
            if lost != self.told {
                writer.lost(now, &lost)?;
                self.told = lost;
            }
            writer.flush()?;
            self.closed = now;
        }
        match self.shared.sync_failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// After a failed write there is no more log; the queues are emptied all the same.
    fn judge(&mut self, result: Result<(), WriteFailed>) {
        let Err(error) = result else { return };
        self.writer = None;
        stop(&self.shared, &format!("{error}; {}", error.fix()));
    }
}

/// Says that and why recording has ended.
fn stop(shared: &RecorderShared, reason: &str) {
    let mut report = shared.report.lock().unwrap_or_else(PoisonError::into_inner);
    report.stopped = Some(reason.to_owned());
    let text = format!(
        "error: the run log {} stopped: {reason}. What was written stays; the run goes on without it",
        report.file.display()
    );
    drop(report);
    shared.tell(text);
}
