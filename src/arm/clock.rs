//! The live shell's clock.

use rustix::time::{ClockId, clock_gettime};

use crate::types::Timestamp;

/// `CLOCK_MONOTONIC` now. Through the vDSO: no system call.
pub fn monotonic_now() -> Timestamp {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(now.tv_nsec).unwrap_or(0);
    Timestamp::from_nanos(seconds * 1_000_000_000 + nanos)
}
