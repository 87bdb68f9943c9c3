//! From control to the recorder: a wait-free ring.

use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Duration;

use super::RecorderShared;
use crate::episode::run_log::ControlRecord;

/// How long the disk may stand still before a tick is lost.
const ROOM: Duration = Duration::from_secs(30);
/// Ticks that the ring has room for at most: 30 s at 200 Hz. At the size of a record (below 2 kB) that is 12 MB; at the usual 50 Hz it
/// is a quarter.
const MOST_TICKS: usize = 6_000;
const FEWEST_TICKS: usize = 64;

/// Control's end. Never waits, allocates or calls the system.
pub struct ControlTap {
    ring: rtrb::Producer<ControlRecord>,
    shared: Arc<RecorderShared>,
}

/// The recorder's end.
pub struct ControlQueue {
    ring: rtrb::Consumer<ControlRecord>,
}

/// A ring for ticks of this period, its memory touched.
pub(super) fn queue_of(capacity: usize, shared: Arc<RecorderShared>) -> (ControlTap, ControlQueue) {
    let (mut ring, consumer) = rtrb::RingBuffer::new(capacity);
    if let Ok(mut chunk) = ring.write_chunk_uninit(capacity) {
        let (front, back) = chunk.as_mut_slices();
        for slot in front.iter_mut().chain(back.iter_mut()) {
            // Nothing is committed: the ring stays empty, but no later push meets a page that is not there.
            *slot = MaybeUninit::zeroed();
        }
    }
    (ControlTap { ring, shared }, ControlQueue { ring: consumer })
}

/// The ring that a run with ticks of this period has.
pub(super) fn capacity(tick_period: Duration) -> usize {
    let ticks = ROOM.as_nanos() / tick_period.as_nanos().max(1);
    usize::try_from(ticks).unwrap_or(MOST_TICKS).clamp(FEWEST_TICKS, MOST_TICKS)
}

/// Control's end and the recorder's.
pub(super) fn control_queue(
    tick_period: Duration,
    shared: Arc<RecorderShared>,
) -> (ControlTap, ControlQueue) {
    queue_of(capacity(tick_period), shared)
}

/// A ring by itself, to measure what a push costs.
pub fn bare_control_queue(tick_period: Duration) -> (ControlTap, ControlQueue) {
    control_queue(tick_period, Arc::default())
}

impl ControlTap {
    /// Hands a tick over. Where the ring is full the tick is lost, and counted.
    pub fn push(&mut self, record: ControlRecord) {
        if self.ring.push(record).is_err() {
            self.shared.lose_control_record();
        }
    }

    /// The ring, for locking its memory while it is empty.
    pub(in crate::runtime) const fn ring(&mut self) -> &mut rtrb::Producer<ControlRecord> {
        &mut self.ring
    }
}

impl ControlQueue {
    /// The oldest tick that waits.
    pub fn pop(&mut self) -> Option<ControlRecord> {
        self.ring.pop().ok()
    }
}
