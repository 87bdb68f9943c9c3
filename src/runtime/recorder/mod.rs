//! The recorder: a thread of its own that owns the run log's file, and the ends of its queues.
//!
//! Control hands each tick over through a wait-free ring with room for 30 s. Inference hands over what the policy saw and said. Pictures
//! have a queue of their own and a thread of their own that compresses them, so that no tick waits for that; when disk or cores are slow
//! pictures are dropped, those that the policy saw last of all. A disk that is full or fails ends the recording, told once, and nothing
//! else.

mod control_tap;
mod frame_queue;
mod inference_tap;
mod picture_thread;
mod report;
#[cfg(test)]
mod tests;
mod thread;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use control_tap::control_queue;
pub use control_tap::{ControlQueue, ControlTap, bare_control_queue};
pub(super) use frame_queue::FrameQueue;
pub(super) use inference_tap::InferenceTap;
use picture_thread::Encode;
pub use report::RecordingReport;
pub(super) use thread::Recorder;

use crate::episode::run_log::{EndRecord, LogFile, RunLogWriter, WriteFailed};

/// A log that has been begun.
pub struct Recording {
    /// The log, its first record written.
    pub writer: RunLogWriter<Box<dyn LogFile>>,
    /// Where it is.
    pub path: PathBuf,
    /// Whether all pictures are recorded, or only those that the policy sees.
    pub all_frames: bool,
}

/// What recorder and session tell each other.
#[derive(Default)]
pub(super) struct RecorderShared {
    /// Ticks, observations and chunks that found their queue full.
    control_lost: AtomicU64,
    /// The last record; the recorder ends with it.
    end: Mutex<Option<EndRecord>>,
    ending: AtomicBool,
    /// A line for people that nobody has taken yet.
    notice: Mutex<Option<String>>,
    /// Why a thread that helps the recorder gave up, until the recorder sees it.
    helper_failed: Mutex<Option<WriteFailed>>,
    report: Mutex<RecordingReport>,
    done: AtomicBool,
}

impl RecorderShared {
    /// A record of control or inference found no room.
    fn lose_control_record(&self) {
        self.control_lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn take_notice(&self) -> Option<String> {
        self.notice.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// A thread that helps the recorder cannot go on.
    fn fail(&self, error: WriteFailed) {
        self.helper_failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    fn take_failure(&self) -> Option<WriteFailed> {
        self.helper_failed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    fn tell(&self, text: String) {
        self.notice.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
    }

    /// Everything that will be recorded is in its queue.
    pub(super) fn end_with(&self, end: EndRecord) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
        self.ending.store(true, Ordering::Release);
    }

    pub(super) fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    pub(super) fn report(&self) -> RecordingReport {
        self.report.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// All ends of a recorder's queues.
pub(super) struct RecorderEnds {
    pub(super) control: ControlTap,
    pub(super) inference: InferenceTap,
    /// For all pictures, where they are wanted.
    pub(super) frames: Option<FrameQueue>,
    pub(super) recorder: Recorder,
    pub(super) shared: Arc<RecorderShared>,
}

/// Observations and chunks on their way: as many as a minute of a fast policy.
const INFERENCE_RECORDS: usize = 512;

/// Queues for a run with ticks of this period.
pub(super) fn recorder(recording: Recording, tick_period: Duration) -> RecorderEnds {
    recorder_with(recording, tick_period, picture_thread::losslessly())
}

fn recorder_with(recording: Recording, tick_period: Duration, encode: Encode) -> RecorderEnds {
    let shared = Arc::new(RecorderShared::default());
    shared.report.lock().unwrap_or_else(PoisonError::into_inner).file = recording.path;
    let (control, ticks) = control_queue(tick_period, Arc::clone(&shared));
    let (sender, inferred) = mpsc::sync_channel(INFERENCE_RECORDS);
    let frames = FrameQueue::default();
    let inference = InferenceTap::new(sender, frames.clone(), Arc::clone(&shared));
    let all_frames = recording.all_frames.then(|| frames.clone());
    let recorder = Recorder::new(recording.writer, ticks, inferred, frames, encode, Arc::clone(&shared));
    RecorderEnds { control, inference, frames: all_frames, recorder, shared }
}
