//! What the system granted.

use std::fmt;
use std::io;

use serde::{Serialize, Serializer};

/// What the control thread got of what it asked for.
#[derive(Debug, Default, Serialize)]
pub struct RealTimeReport {
    /// Its `SCHED_FIFO` priority; `None` under normal scheduling.
    pub fifo_priority: Option<u8>,
    /// Its slice under normal scheduling, µs; `None` under `SCHED_FIFO` and before Linux 6.12.
    pub slice_us: Option<u64>,
    /// The core that it is bound to.
    pub control_cpu: Option<usize>,
    /// Memory that cannot be swapped out: its stack and its mailboxes, KiB.
    pub locked_kib: usize,
    /// What was refused.
    pub denied: Vec<RealTimeDenial>,
}

/// Something that the system refused, with the fix in its text.
#[derive(Debug, thiserror::Error)]
pub enum RealTimeDenial {
    /// `sched_setscheduler`
    #[error(
        "no real-time priority ({error}): ticks may come late while the machine is busy. To allow SCHED_FIFO {priority}: `sudo setcap \
         cap_sys_nice=ep` on the program, or `@realtime - rtprio 99` in /etc/security/limits.conf and a new login, or LimitRTPRIO=99 in \
         its systemd unit; `priority = 0` under [realtime] stops asking"
    )]
    Priority {
        /// What was asked for.
        priority: u8,
        /// The system's word.
        error: io::Error,
    },
    /// `sched_setaffinity`
    #[error(
        "the control thread cannot be bound to core {cpu} ({error}): choose one of those that `taskset -pc $$` lists, by control_cpu \
         under [realtime] or --control-cpu"
    )]
    Cpu {
        /// Which.
        cpu: usize,
        /// The system's word.
        error: io::Error,
    },
    /// `mlock`
    #[error(
        "the control thread's memory cannot be locked ({error}): it may be swapped out when memory is short. To allow it: `@realtime - \
         memlock 8192` in /etc/security/limits.conf (see `ulimit -l`), or LimitMEMLOCK=8M in its systemd unit"
    )]
    Memory {
        /// The system's word.
        error: io::Error,
    },
}

impl Serialize for RealTimeDenial {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One line for what was granted, and one for each refusal.
impl fmt::Display for RealTimeReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fifo_priority {
            Some(priority) => write!(formatter, "control thread: SCHED_FIFO {priority}")?,
            None => formatter.write_str("control thread: normal scheduling")?,
        }
        if let Some(slice) = self.slice_us {
            write!(formatter, ", slice {slice} µs")?;
        }
        if let Some(cpu) = self.control_cpu {
            write!(formatter, ", on core {cpu}")?;
        }
        if self.locked_kib > 0 {
            write!(formatter, ", {} KiB locked", self.locked_kib)?;
        }
        self.denied.iter().try_for_each(|denial| write!(formatter, "\n{denial}"))
    }
}
