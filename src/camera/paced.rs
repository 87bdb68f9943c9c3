//! A generator at its own rate on the system's monotonic clock.

use std::thread;
use std::time::{Duration, Instant};

use super::{CameraError, FrameGenerator, FrameSource};
use crate::types::{Frame, FramePool, Timestamp};

/// Delivers a generator's frames in real time. When the consumer is late, frames are skipped, never sent in a burst.
#[derive(Debug)]
pub struct PacedSource<G> {
    generator: G,
    now: fn() -> Timestamp,
    next: Option<Instant>,
    sequence: u64,
}

impl<G: FrameGenerator> PacedSource<G> {
    /// Starts with the first frame as soon as it is asked for. `now` is the shell's monotonic clock.
    pub const fn new(generator: G, now: fn() -> Timestamp) -> Self {
        Self { generator, now, next: None, sequence: 0 }
    }
}

impl<G: FrameGenerator> FrameSource for PacedSource<G> {
    fn next_frame(&mut self, pool: &FramePool) -> Result<Option<Frame>, CameraError> {
        let period = self.generator.period().max(Duration::from_micros(1));
        let due = self.next.unwrap_or_else(Instant::now);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let late = Instant::now().saturating_duration_since(due);
        let skipped = u32::try_from(late.as_nanos() / period.as_nanos()).unwrap_or(u32::MAX);
        self.sequence += u64::from(skipped);
        self.next = Some(due + period * (skipped + 1));
        let frame = self.generator.generate(self.sequence, (self.now)(), pool)?;
        self.sequence += 1;
        Ok(frame)
    }

    fn start_over(&mut self) {
        self.sequence = 0;
        self.next = None;
    }

    fn description(&self) -> String {
        self.generator.description()
    }
}
