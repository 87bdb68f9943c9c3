//! The system's monotonic clock as the live shell uses it. Wall time decides nothing: nobody reads it.

use rustix::thread::ClockId;
use rustix::time::Timespec;

use super::punctual_clock::PunctualClock;
pub use crate::arm::monotonic_now as now;
use crate::types::Timestamp;

/// Sleeps until `deadline`; returns at once when it has passed. Signals do not cut the sleep short.
pub fn sleep_until(deadline: Timestamp) {
    let nanos = deadline.as_nanos();
    let request = Timespec {
        tv_sec: i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(nanos % 1_000_000_000).unwrap_or(0),
    };
    while rustix::thread::clock_nanosleep_absolute(ClockId::Monotonic, &request)
        == Err(rustix::io::Errno::INTR)
    {}
}

/// A clock that a thread of a session goes by.
pub trait SessionClock: Send {
    /// Now; never earlier than before.
    fn now(&mut self) -> Timestamp;
    /// Sleeps until this clock shows `deadline`; returns at once when it has passed.
    fn sleep_until(&mut self, deadline: Timestamp);
}

/// The system's monotonic clock, slept on.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl SessionClock for SystemClock {
    fn now(&mut self) -> Timestamp {
        now()
    }
    fn sleep_until(&mut self, deadline: Timestamp) {
        sleep_until(deadline);
    }
}

/// The clocks of a session: the system's, but in a fault drill.
pub struct SessionClocks {
    /// What control ticks by.
    pub control: Box<dyn SessionClock>,
    /// What the watchdog looks at.
    pub watchdog: Box<dyn SessionClock>,
}

impl Default for SessionClocks {
    fn default() -> Self {
        Self { control: Box::new(PunctualClock), watchdog: Box::new(SystemClock) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn never_wakes_early_and_never_runs_backwards() {
        let start = now();
        let deadline = start + Duration::from_millis(5);
        sleep_until(deadline);
        assert!(now() >= deadline);
        sleep_until(start);
    }
}
