//! The system's monotonic clock as the live shell uses it.

use rustix::thread::ClockId;
use rustix::time::Timespec;

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
