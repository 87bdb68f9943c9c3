//! The thread that compresses pictures: the recorder only writes them.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::{FrameQueue, RecorderShared};
use crate::episode::run_log::{EncodedPicture, WriteFailed};
use crate::types::{Frame, FrameMetadata};

/// Compressed pictures that wait for the recorder. More would only make the queue before this thread longer, which drops what has no
/// room and counts it.
const READY: usize = 4;
/// How often the queue is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// Pictures of a slot that are remembered as written: those that a camera and inference may both hand over.
const REMEMBERED: usize = 64;

/// How a picture of a slot is compressed.
pub(super) type Encode = Box<dyn FnMut(usize, &Frame) -> Result<EncodedPicture, WriteFailed> + Send>;

/// As the run log stores pictures.
pub(super) fn losslessly() -> Encode {
    Box::new(|slot, frame| EncodedPicture::of(slot, frame.metadata, &frame.picture()))
}

/// Takes pictures from the queue in its order, compresses them and hands them on.
struct PictureThread {
    frames: FrameQueue,
    ready: SyncSender<EncodedPicture>,
    shared: Arc<RecorderShared>,
    encode: Encode,
    taken: HashMap<usize, VecDeque<FrameMetadata>>,
}

/// Starts the thread. It ends once the run has and the queue is empty; then the receiver is disconnected.
pub(super) fn start(
    frames: FrameQueue,
    shared: Arc<RecorderShared>,
    encode: Encode,
) -> Result<Receiver<EncodedPicture>, WriteFailed> {
    let (ready, pictures) = sync_channel(READY);
    let mut thread = PictureThread { frames, ready, shared, encode, taken: HashMap::new() };
    thread::Builder::new().name("pictures".to_owned()).spawn(move || {
        let ran = catch_unwind(AssertUnwindSafe(|| thread.compress_until_ended()));
        match ran {
            Ok(Ok(())) => {}
            Ok(Err(error)) => thread.shared.fail(error),
            Err(_) => thread.shared.fail(WriteFailed::PicturesPanicked),
        }
    })?;
    Ok(pictures)
}

impl PictureThread {
    fn compress_until_ended(&mut self) -> Result<(), WriteFailed> {
        loop {
            // Before the last look at the queue: nothing comes after it.
            let ending = self.shared.is_ending();
            while let Some((slot, frame)) = self.frames.pop() {
                if self.is_taken(slot, frame.metadata) {
                    continue;
                }
                let picture = (self.encode)(slot, &frame)?;
                // The camera needs its memory more than this thread does while it waits for the recorder.
                drop(frame);
                if self.ready.send(picture).is_err() {
                    // The recorder is gone, which has been told.
                    return Ok(());
                }
            }
            if ending {
                return Ok(());
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    fn is_taken(&mut self, slot: usize, frame: FrameMetadata) -> bool {
        let taken = self.taken.entry(slot).or_default();
        if taken.contains(&frame) {
            return true;
        }
        taken.push_back(frame);
        if taken.len() > REMEMBERED {
            taken.pop_front();
        }
        false
    }
}
