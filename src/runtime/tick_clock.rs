//! Ticks on an absolute clock: a late tick is counted, never caught up by a burst.

use std::time::Duration;

use crate::types::Timestamp;

/// The schedule of control ticks.
#[derive(Clone, Copy, Debug)]
pub struct TickClock {
    next: Timestamp,
    period: Duration,
    missed: u64,
}

impl TickClock {
    /// First tick one period after `start`.
    pub fn new(start: Timestamp, period: Duration) -> Self {
        Self { next: start + period, period, missed: 0 }
    }

    /// When the next tick is due.
    pub const fn due(&self) -> Timestamp {
        self.next
    }

    /// Notes that a tick begins at `now` and returns how late it is; ticks that should have happened meanwhile are skipped.
    pub fn begin(&mut self, now: Timestamp) -> Duration {
        let late = now.since(self.next);
        let skipped = late.as_nanos() / self.period.as_nanos().max(1);
        let skipped = u32::try_from(skipped).unwrap_or(u32::MAX);
        self.missed += u64::from(skipped);
        self.next = self.next + self.period * (skipped + 1);
        late
    }

    /// Ticks that never happened.
    pub const fn missed(&self) -> u64 {
        self.missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_tick_skips_the_missed_ones() {
        let at = |millis| Timestamp::ZERO + Duration::from_millis(millis);
        let mut clock = TickClock::new(at(0), Duration::from_millis(20));
        assert_eq!(clock.begin(at(20)), Duration::ZERO);
        assert_eq!(clock.due(), at(40));
        assert_eq!(clock.begin(at(85)), Duration::from_millis(45));
        assert_eq!((clock.due(), clock.missed()), (at(100), 2), "60 and 80 are gone, no burst");
        assert_eq!(clock.begin(at(100)), Duration::ZERO);
    }
}
