//! The newest frames of one camera, between the capture thread, control and inference.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::types::{Frame, FrameMetadata};

/// Frames kept, so that the one control has chosen is still there when inference looks for it.
const KEPT: usize = 4;

/// The capture thread's end.
pub(super) struct FramePublisher {
    frames: Arc<Mutex<VecDeque<Arc<Frame>>>>,
    newest: triple_buffer::Input<Option<FrameMetadata>>,
}

/// Control's end: metadata only, wait-free.
pub(super) struct NewestFrame(triple_buffer::Output<Option<FrameMetadata>>);

/// Inference's end.
#[derive(Clone)]
pub(super) struct FrameLookup(Arc<Mutex<VecDeque<Arc<Frame>>>>);

/// The three ends of a camera's frames.
pub(super) fn frame_store() -> (FramePublisher, NewestFrame, FrameLookup) {
    let frames = Arc::new(Mutex::new(VecDeque::with_capacity(KEPT + 1)));
    let (newest, seen) = triple_buffer::triple_buffer(&None);
    (FramePublisher { frames: Arc::clone(&frames), newest }, NewestFrame(seen), FrameLookup(frames))
}

impl FramePublisher {
    /// Gives back what was published.
    pub(super) fn publish(&mut self, frame: Frame) -> Arc<Frame> {
        let metadata = frame.metadata;
        let frame = Arc::new(frame);
        let forgotten = {
            let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
            frames.push_back(Arc::clone(&frame));
            if frames.len() > KEPT { frames.pop_front() } else { None }
        };
        drop(forgotten);
        // Control learns of a frame only after inference can find it.
        self.newest.write(Some(metadata));
        frame
    }
}

impl NewestFrame {
    pub(super) fn get(&mut self) -> Option<FrameMetadata> {
        *self.0.read()
    }
}

impl FrameLookup {
    /// The frame with this id, or the newest when it has been forgotten.
    pub(super) fn get(&self, id: u64) -> Option<Arc<Frame>> {
        let frames = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        frames.iter().find(|frame| frame.metadata.id == id).or_else(|| frames.back()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{FramePool, PixelLayout, Timestamp};

    #[test]
    fn the_chosen_frame_is_found_while_newer_ones_arrive() {
        let pool = FramePool::new(8);
        let (mut publisher, mut newest, lookup) = frame_store();
        assert!(newest.get().is_none() && lookup.get(0).is_none());
        for id in 0..10 {
            let metadata = FrameMetadata {
                id,
                sequence: id,
                captured: Timestamp::from_nanos(id),
                width: 2,
                height: 1,
                digest: None,
            };
            let _published = publisher.publish(
                Frame::new(metadata, PixelLayout::Rgb8, pool.take(6)).expect("six bytes are two pixels"),
            );
        }
        assert_eq!(newest.get().map(|frame| frame.id), Some(9));
        assert_eq!(lookup.get(7).map(|frame| frame.metadata.id), Some(7));
        assert_eq!(lookup.get(1).map(|frame| frame.metadata.id), Some(9), "forgotten: the newest instead");
    }
}
