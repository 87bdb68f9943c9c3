//! The clock of a drill: it starts when the policy takes charge of the arm.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::DrillFault;
use crate::runtime::now;
use crate::types::Timestamp;

/// Shared by all wrappers of a run.
#[derive(Clone, Debug, Default)]
pub struct DrillClock(Arc<OnceLock<Timestamp>>);

impl DrillClock {
    /// Starts it; later calls change nothing.
    pub fn start(&self) {
        let _first = self.0.get_or_init(now);
    }

    /// Whether a fault is there now. Before the start none is.
    pub(super) fn is_active(&self, fault: &DrillFault) -> bool {
        self.0.get().is_some_and(|start| is_active_at(fault, now().since(*start)))
    }
}

fn is_active_at(fault: &DrillFault, elapsed: Duration) -> bool {
    let timed = &fault.timed;
    elapsed >= timed.start
        && timed.duration.is_none_or(|duration| elapsed < timed.start.saturating_add(duration))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inject::Drill;

    #[test]
    fn a_fault_is_there_from_its_start_for_its_duration() {
        let drill = Drill::parse_list("camera.stall@2s:1s").unwrap();
        let fault = &drill.faults[0];
        let seen = [1999, 2000, 2999, 3000].map(|ms| is_active_at(fault, Duration::from_millis(ms)));
        assert_eq!(seen, [false, true, true, false]);
    }

    #[test]
    fn nothing_happens_before_the_start() {
        let drill = Drill::parse_list("camera.stall").unwrap();
        assert!(!drill.clock.is_active(&drill.faults[0]));
        drill.clock.start();
        assert!(drill.clock.is_active(&drill.faults[0]));
    }
}
