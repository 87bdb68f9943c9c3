//! Pictures on their way to the disk.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::types::Frame;

/// Bytes of pictures that may wait: two seconds of a 640x480 RGB camera at 30 a second, or a minute of what a policy looks at.
const ROOM_BYTES: usize = 64 << 20;

/// A picture and the slot that it belongs to.
pub(in crate::runtime) type SlotFrame = (usize, Arc<Frame>);

#[derive(Default)]
struct Queues {
    policy: VecDeque<SlotFrame>,
    others: VecDeque<SlotFrame>,
    bytes: usize,
    policy_dropped: u64,
    others_dropped: u64,
}

fn bytes((_, frame): &SlotFrame) -> usize {
    frame.picture().bytes.len()
}

/// Pictures that wait; those that the policy saw go first and are dropped last. Cameras and inference hold it, control does not.
#[derive(Clone, Default)]
pub(in crate::runtime) struct FrameQueue(Arc<Mutex<Queues>>);

impl FrameQueue {
    fn with<T>(&self, work: impl FnOnce(&mut Queues) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A picture that a camera delivered. It is dropped where there is no room.
    pub(in crate::runtime) fn push_other(&self, slot: usize, frame: Arc<Frame>) {
        self.with(|queues| {
            let one = (slot, frame);
            let size = bytes(&one);
            if queues.bytes + size > ROOM_BYTES {
                queues.others_dropped += 1;
            } else {
                queues.bytes += size;
                queues.others.push_back(one);
            }
        });
    }

    /// A picture that the policy looks at. The others make room for it.
    pub(in crate::runtime) fn push_policy(&self, slot: usize, frame: Arc<Frame>) {
        self.with(|queues| {
            let one = (slot, frame);
            let size = bytes(&one);
            while queues.bytes + size > ROOM_BYTES {
                let Some(other) = queues.others.pop_front() else { break };
                queues.bytes -= bytes(&other);
                queues.others_dropped += 1;
            }
            // One alone always has room, however large.
            if queues.bytes + size > ROOM_BYTES && queues.bytes > 0 {
                queues.policy_dropped += 1;
            } else {
                queues.bytes += size;
                queues.policy.push_back(one);
            }
        });
    }

    /// The next picture to write.
    pub(super) fn pop(&self) -> Option<SlotFrame> {
        self.with(|queues| {
            let one = queues.policy.pop_front().or_else(|| queues.others.pop_front())?;
            queues.bytes -= bytes(&one);
            Some(one)
        })
    }

    /// How many were dropped so far: that the policy saw, others.
    pub(super) fn dropped(&self) -> (u64, u64) {
        self.with(|queues| (queues.policy_dropped, queues.others_dropped))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::types::{FrameMetadata, FramePool, PixelLayout, Timestamp};

    /// 8 MiB: eight fit.
    fn frame(id: u64) -> Arc<Frame> {
        let (width, height) = (1 << 11, 1 << 12);
        let metadata =
            FrameMetadata { id, sequence: id, captured: Timestamp::ZERO, width, height, digest: None };
        let layout = PixelLayout::Yuyv { stride: 1 << 11 };
        Arc::new(Frame::new(metadata, layout, FramePool::new(0).take(1 << 23)).unwrap())
    }

    fn ids(queue: &FrameQueue) -> Vec<u64> {
        std::iter::from_fn(|| queue.pop()).map(|(_, frame)| frame.metadata.id).collect()
    }

    #[test]
    fn others_are_dropped_first_and_policy_frames_go_first() {
        let queue = FrameQueue::default();
        (0..10).for_each(|id| queue.push_other(0, frame(id)));
        assert_eq!(queue.dropped(), (0, 2), "eight have room");
        (100..103).for_each(|id| queue.push_policy(1, frame(id)));
        assert_eq!(queue.dropped(), (0, 5));
        assert_eq!(ids(&queue), [100, 101, 102, 3, 4, 5, 6, 7]);
        (0..9).for_each(|id| queue.push_policy(0, frame(id)));
        assert_eq!(queue.dropped(), (1, 5), "only where no other is left to make room");
        assert_eq!(ids(&queue), [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}
