//! What the system is asked for so that ticks come in time: priority, core, timer, memory.
//!
//! Nothing here is needed to run. What is refused is said once, with the fix, and the run goes on without it.

mod locked_memory;
mod report;
mod slice;

use std::num::NonZeroU64;

use rustix::io::Errno;
use rustix::thread::{CpuSet, sched_setaffinity, set_current_timer_slack};
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

pub(super) use locked_memory::{LockedMemory, lock_mailbox, lock_ring};
pub use report::{RealTimeDenial, RealTimeReport};

/// How far the system may put off an unprivileged timer to save power; 50 µs by default (`prctl(2)`).
const TIMER_SLACK_NS: NonZeroU64 = NonZeroU64::MIN;

/// What to ask the system for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RealTimeSettings {
    /// `SCHED_FIFO` priority of the control thread, 1 to 99; the link's thread gets one less. 0 keeps the normal scheduling.
    pub priority: u8,
    /// The core that the control thread is bound to; `None` leaves it to the scheduler.
    pub control_cpu: Option<usize>,
    /// Whether the control thread's stack and mailboxes are kept from being swapped out.
    pub lock_memory: bool,
}

impl Default for RealTimeSettings {
    fn default() -> Self {
        Self { priority: 40, control_cpu: None, lock_memory: true }
    }
}

impl RealTimeSettings {
    /// Asks for nothing.
    pub const NONE: Self = Self { priority: 0, control_cpu: None, lock_memory: false };

    /// Makes the calling thread the control thread, as far as the system lets it. Its memory is locked apart.
    pub(super) fn apply_to_control(&self, report: &mut RealTimeReport) {
        report.fifo_priority = fifo(self.priority, report);
        if let Some(cpu) = self.control_cpu {
            match bind(cpu) {
                Ok(()) => report.control_cpu = Some(cpu),
                Err(errno) => report.denied.push(RealTimeDenial::Cpu { cpu, error: errno.into() }),
            }
        }
        exact_timer();
        report.slice_us = short_slice();
    }

    /// Makes the calling thread the link's: one priority below control. A refusal was told for control already.
    pub fn apply_to_link(&self) {
        let mut report = RealTimeReport::default();
        let _granted = fifo(self.priority.saturating_sub(1), &mut report);
        exact_timer();
        let _told_for_control = short_slice();
    }
}

/// The priority that was granted.
fn fifo(priority: u8, report: &mut RealTimeReport) -> Option<u8> {
    if priority == 0 {
        return None;
    }
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let granted = match ThreadPriorityValue::try_from(priority) {
        // For real-time policies the value is the kernel's own.
        Ok(value) => {
            set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Crossplatform(value), policy)
        }
        Err(_) => Err(thread_priority::Error::Priority("it is no priority of this system")),
    };
    match granted {
        Ok(()) => Some(priority),
        Err(error) => {
            let error = match error {
                thread_priority::Error::OS(code) => std::io::Error::from_raw_os_error(code),
                other => std::io::Error::other(other),
            };
            report.denied.push(RealTimeDenial::Priority { priority, error });
            None
        }
    }
}

fn bind(cpu: usize) -> Result<(), Errno> {
    if cpu >= CpuSet::MAX_CPU {
        return Err(Errno::INVAL);
    }
    let mut cpus = CpuSet::new();
    cpus.set(cpu);
    sched_setaffinity(None, &cpus)
}

/// The kernel ignores it for a thread under `SCHED_FIFO`, whose timers are exact already.
fn exact_timer() {
    // It cannot be refused for the calling thread; where it is (an old sandbox), timers are 50 µs less exact.
    let _ = set_current_timer_slack(Some(TIMER_SLACK_NS));
}

/// The slice that a thread under normal scheduling has now, µs.
fn short_slice() -> Option<u64> {
    // It needs no privilege; where a sandbox refuses it, ticks wait longer for others, as they do on an older kernel.
    let slice = slice::shorten().ok().flatten()?;
    u64::try_from(slice.as_micros()).ok()
}

/// Gives the calling thread what [`RealTimeSettings`] ask for and says what was granted, as the control thread does: for
/// measurements beside it.
pub fn make_real_time(settings: &RealTimeSettings) -> RealTimeReport {
    let mut report = RealTimeReport::default();
    settings.apply_to_control(&mut report);
    if settings.lock_memory {
        let mut locked = LockedMemory::default();
        locked.lock_stack();
        locked.tell(&mut report);
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a thread of its own: the test's must keep its scheduling.
    fn applied(settings: RealTimeSettings) -> (RealTimeReport, Option<u64>, usize) {
        let thread = std::thread::spawn(move || {
            let report = make_real_time(&settings);
            let cpus = rustix::thread::sched_getaffinity(None).map_or(0, |cpus| cpus.count());
            (report, rustix::thread::current_timer_slack().ok(), usize::try_from(cpus).unwrap_or(0))
        });
        thread.join().expect("it does not panic")
    }

    #[test]
    fn nothing_is_asked_for_and_nothing_denied() {
        let (report, _, _) = applied(RealTimeSettings::NONE);
        assert_eq!((report.fifo_priority, report.control_cpu, report.locked_kib), (None, None, 0));
        assert!(report.denied.is_empty());
    }

    #[test]
    fn a_priority_is_granted_or_denied_with_the_fix() {
        let (report, slack, _) =
            applied(RealTimeSettings { lock_memory: false, ..RealTimeSettings::default() });
        match report.fifo_priority {
            // Real-time threads have no slack of their own: the kernel says 0.
            Some(priority) => assert_eq!((priority, report.denied.len(), slack), (40, 0, Some(0))),
            None => {
                assert_eq!(slack, Some(1), "the next best for a normal thread");
                let said = report.to_string();
                assert!(said.contains("SCHED_FIFO") && said.contains("setcap cap_sys_nice"), "{said}");
            }
        }
    }

    #[test]
    fn a_thread_is_bound_to_a_core_that_exists() {
        let first = (0..CpuSet::MAX_CPU)
            .find(|cpu| rustix::thread::sched_getaffinity(None).is_ok_and(|cpus| cpus.is_set(*cpu)));
        let (report, _, cpus) = applied(RealTimeSettings { control_cpu: first, ..RealTimeSettings::NONE });
        assert_eq!((report.control_cpu, cpus), (first, 1));
        for missing in [CpuSet::MAX_CPU - 1, CpuSet::MAX_CPU] {
            let (report, _, _) =
                applied(RealTimeSettings { control_cpu: Some(missing), ..RealTimeSettings::NONE });
            assert_eq!(report.control_cpu, None);
            assert!(report.to_string().contains("control_cpu"), "{report}");
        }
    }
}
