//! The recorder thread: owns the file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use super::inference_tap::InferenceRecord;
use super::picture_thread::Encode;
use super::{ControlQueue, FrameQueue, RecorderShared, picture_thread};
use crate::episode::run_log::{
    ControlRecord, EncodedPicture, EndRecord, LogFile, LossRecord, NoticeLevel, NoticeRecord, RunLogWriter,
    WriteFailed,
};
use crate::runtime::clock;
use crate::types::Timestamp;

/// How often the queues are looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// A chunk is closed at least so often: what a kill may cost, with the time of a look.
const CLOSE_EVERY: Duration = Duration::from_millis(250);
/// Closed chunks are brought to the disk so often: with the time above, what a power cut may cost is a second.
const SYNC_EVERY: Duration = Duration::from_millis(750);

/// What writes the log.
pub(in crate::runtime) struct Recorder {
    /// `None` once a write has failed.
    writer: Option<RunLogWriter<Box<dyn LogFile>>>,
    ticks: ControlQueue,
    inferred: Receiver<InferenceRecord>,
    frames: FrameQueue,
    /// Taken by the thread that compresses.
    encode: Option<Encode>,
    shared: Arc<RecorderShared>,
    closed: Timestamp,
    phase: &'static str,
    told: LossRecord,
}

impl Recorder {
    pub(super) fn new(
        writer: RunLogWriter<Box<dyn LogFile>>,
        ticks: ControlQueue,
        inferred: Receiver<InferenceRecord>,
        frames: FrameQueue,
        encode: Encode,
        shared: Arc<RecorderShared>,
    ) -> Self {
        let now = clock::now();
        Self {
            writer: Some(writer),
            ticks,
            inferred,
            frames,
            encode: Some(encode),
            shared,
            closed: now,
            phase: "",
            told: LossRecord::default(),
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
            while !shared.is_ending() {
                thread::sleep(SYNC_EVERY);
                if let Err(error) = sync() {
                    return shared.fail(error.into());
                }
            }
        })?;
        Ok(())
    }

    fn write_until_ended(&mut self) {
        let started = self.start_syncing();
        self.judge(started);
        let encode = self.encode.take().unwrap_or_else(picture_thread::losslessly);
        let mut pictures = match picture_thread::start(self.frames.clone(), Arc::clone(&self.shared), encode)
        {
            Ok(pictures) => Some(pictures),
            Err(error) => {
                self.judge(Err(error));
                None
            }
        };
        loop {
            // Before the last look at the queues: nothing comes after it.
            let ending = self.shared.is_ending();
            let result = self.drain().and_then(|()| self.keep_time());
            self.judge(result);
            let Some(ready) = &pictures else {
                if ending {
                    break;
                }
                thread::sleep(LOOK_AGAIN);
                continue;
            };
            match ready.recv_timeout(LOOK_AGAIN) {
                Ok(picture) => {
                    let result = self.picture(picture);
                    self.judge(result);
                }
                Err(RecvTimeoutError::Timeout) => {}
                // All are written, or their thread has failed: the next look says which.
                Err(RecvTimeoutError::Disconnected) => pictures = None,
            }
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

    /// Writes all ticks, observations and chunks that wait: between two of these looks there is one picture at most.
    fn drain(&mut self) -> Result<(), WriteFailed> {
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
        Ok(())
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

    fn picture(&mut self, picture: EncodedPicture) -> Result<(), WriteFailed> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        writer.encoded(picture)?;
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
        self.shared.take_failure().map_or(Ok(()), Err)
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
