//! What the control thread, the link thread and their owner see of each other at any time: words, no locks.

use std::os::fd::OwnedFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

use firmware_protocol::Generation;
use rustix::event::{EventfdFlags, eventfd};

use super::SerialStatistics;
use crate::arm::clock::monotonic_now;
use crate::arm::link::{LinkFault, LinkState};
use crate::types::Timestamp;

/// What the link thread publishes of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Published {
    pub(super) state: LinkState,
    pub(super) connection: u32,
    /// Whether a command offered now would be written at once.
    pub(super) ready: bool,
    pub(super) frozen: bool,
}

const READY_BIT: u64 = 1 << 16;
const FROZEN_BIT: u64 = 1 << 17;

impl Published {
    /// All but the time in one word, so that nobody sees parts of two states.
    fn word(&self) -> u64 {
        let (kind, fault) = self.state.codes();
        let flag = |set: bool, bit: u64| if set { bit } else { 0 };
        u64::from(kind)
            | u64::from(fault) << 8
            | flag(self.ready, READY_BIT)
            | flag(self.frozen, FROZEN_BIT)
            | u64::from(self.connection) << 32
    }

    const fn connection_of(word: u64) -> u32 {
        (word >> 32) as u32
    }

    fn of(word: u64, since: Timestamp) -> Self {
        let [kind, fault, ..] = word.to_le_bytes();
        Self {
            state: LinkState::from_codes((kind, fault), since),
            connection: Self::connection_of(word),
            ready: word & READY_BIT != 0,
            frozen: word & FROZEN_BIT != 0,
        }
    }
}

/// Flags that both sides and the owner see.
#[derive(Debug)]
pub(super) struct Shared {
    /// [`Published`] as a word; only the link thread writes it.
    state: AtomicU64,
    since: AtomicU64,
    last_feedback: AtomicU64,
    feedback_hz: AtomicU32,
    generation: AtomicU8,
    stop: AtomicBool,
    released: AtomicBool,
    take_over: AtomicBool,
    /// The link thread is over.
    ended: AtomicBool,
    pub(super) wake: OwnedFd,
    /// Between the link thread and the owner only; the control thread never touches it.
    pub(super) statistics: Mutex<SerialStatistics>,
}

impl Shared {
    pub(super) fn new() -> rustix::io::Result<Self> {
        let now = monotonic_now().as_nanos();
        Ok(Self {
            state: AtomicU64::new(0),
            since: AtomicU64::new(now),
            last_feedback: AtomicU64::new(now),
            feedback_hz: AtomicU32::new(0),
            generation: AtomicU8::new(0),
            stop: AtomicBool::new(false),
            released: AtomicBool::new(false),
            take_over: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            wake: eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?,
            statistics: Mutex::default(),
        })
    }

    pub(super) fn publish(&self, published: &Published) {
        if let Some(since) = published.state.since() {
            self.since.store(since.as_nanos(), Ordering::Release);
        }
        self.state.store(published.word(), Ordering::Release);
    }

    pub(super) fn published(&self) -> Published {
        let word = self.state.load(Ordering::Acquire);
        Published::of(word, Timestamp::from_nanos(self.since.load(Ordering::Acquire)))
    }

    pub(super) fn fault(&self) -> Option<LinkFault> {
        match self.published().state {
            LinkState::Failed(fault) => Some(fault),
            _ => None,
        }
    }

    pub(super) fn set_fault(&self, fault: LinkFault) {
        self.publish(&Published { state: LinkState::Failed(fault), ready: false, ..self.published() });
    }

    /// Nothing is written any more, whatever the state says.
    pub(super) fn set_not_ready(&self) {
        self.publish(&Published { ready: false, ..self.published() });
    }

    /// Rate and newest arrival of feedback.
    pub(super) fn set_feedback(&self, last: Timestamp, hz: f64) {
        self.last_feedback.store(last.as_nanos(), Ordering::Release);
        self.feedback_hz.store((hz as f32).to_bits(), Ordering::Release);
    }

    /// When the newest pose arrived that was believed.
    pub(super) fn last_feedback(&self) -> Timestamp {
        Timestamp::from_nanos(self.last_feedback.load(Ordering::Acquire))
    }

    /// Valid feedback a second.
    pub(super) fn feedback_hz(&self) -> f64 {
        f64::from(f32::from_bits(self.feedback_hz.load(Ordering::Acquire)))
    }

    pub(super) fn generation(&self) -> Option<Generation> {
        usize::from(self.generation.load(Ordering::Acquire))
            .checked_sub(1)
            .and_then(|index| Generation::ALL.get(index).copied())
    }

    pub(super) fn set_generation(&self, generation: Generation) {
        let place = Generation::ALL.iter().position(|known| *known == generation);
        let code = place.and_then(|index| u8::try_from(index + 1).ok()).unwrap_or(0);
        self.generation.store(code, Ordering::Release);
    }

    pub(super) fn request_stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.wake();
    }

    pub(super) fn stop_requested(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// The control side brought the arm to rest and is done.
    pub(super) fn release(&self) {
        self.released.store(true, Ordering::Release);
        self.wake();
    }

    pub(super) fn is_released(&self) -> bool {
        self.released.load(Ordering::Acquire)
    }

    pub(super) fn request_take_over(&self) {
        self.take_over.store(true, Ordering::Release);
        self.wake();
    }

    /// Whether the link must take the arm. One that was released needs no hold.
    pub(super) fn take_over_requested(&self) -> bool {
        self.take_over.load(Ordering::Acquire) && !self.is_released()
    }

    /// The link thread writes nothing any more.
    pub(super) fn set_ended(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// Whether the link thread writes nothing any more.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Wakes the link thread. It can only fail when the counter is full, and then the thread is awake already.
    pub(super) fn wake(&self) {
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }
}
