//! A clock that wakes early and looks at the time until the tick is due.

use std::time::Duration;

use super::clock::{SessionClock, now, sleep_until};
use crate::types::Timestamp;

/// How much earlier than a tick its thread is woken.
///
/// A timer fires, the kernel switches threads, caches are cold: 5 to 15 µs on quiet machines, 30 µs at p99 on a virtual one
/// (`docs/real-time.md`). Looking at the clock meanwhile costs 1 % of a core at 200 Hz.
pub(super) const EARLY: Duration = Duration::from_micros(50);

/// The system's monotonic clock for a thread whose beginning counts, microsecond by microsecond.
#[derive(Clone, Copy, Debug, Default)]
pub struct PunctualClock;

impl SessionClock for PunctualClock {
    fn now(&mut self) -> Timestamp {
        now()
    }

    fn sleep_until(&mut self, deadline: Timestamp) {
        sleep_until(deadline - EARLY);
        while now() < deadline {
            std::hint::spin_loop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_returns_early_and_at_once_when_late() {
        let mut clock = PunctualClock;
        let start = now();
        for deadline in [Timestamp::ZERO, start, start + EARLY / 2, start + Duration::from_millis(5)] {
            clock.sleep_until(deadline);
            assert!(now() >= deadline);
        }
    }
}
