//! Clocks that jump, and one whose reader panics.

use std::time::Duration;

use super::{DrillClock, DrillFault, DrillKind, DrillThread};
use crate::runtime::{SessionClock, SystemClock};
use crate::types::Timestamp;

/// The control thread's clock: it jumps forward once for each fault, and stays ahead. To the core this is a machine that stood still
/// (a suspended computer, a virtual machine that was paused): everything that it knows is older at once.
pub(super) struct SteppedClock {
    faults: Vec<DrillFault>,
    drill: DrillClock,
}

impl SteppedClock {
    pub(super) const fn new(faults: Vec<DrillFault>, drill: DrillClock) -> Self {
        Self { faults, drill }
    }

    fn ahead(&self) -> Duration {
        let step = |fault: &DrillFault| match fault.kind {
            DrillKind::ClockStep(step) if self.drill.is_active(fault) => step,
            _ => Duration::ZERO,
        };
        self.faults.iter().map(step).sum()
    }
}

impl SessionClock for SteppedClock {
    fn now(&mut self) -> Timestamp {
        // Looked at first: a step that begins in between is seen next time, and this clock never runs backwards.
        let ahead = self.ahead();
        SystemClock.now() + ahead
    }

    fn sleep_until(&mut self, deadline: Timestamp) {
        SystemClock.sleep_until(deadline - self.ahead());
    }
}

/// The watchdog's clock, where its thread panics.
pub(super) struct PanickingClock {
    faults: Vec<DrillFault>,
    drill: DrillClock,
}

impl PanickingClock {
    pub(super) const fn new(faults: Vec<DrillFault>, drill: DrillClock) -> Self {
        Self { faults, drill }
    }
}

impl SessionClock for PanickingClock {
    #[expect(clippy::panic, reason = "a panic is the fault that was asked for")]
    fn now(&mut self) -> Timestamp {
        let panics = |fault: &DrillFault| {
            fault.kind == DrillKind::ThreadPanic(DrillThread::Watchdog) && self.drill.is_active(fault)
        };
        if self.faults.iter().any(panics) {
            panic!("injected by --inject thread.panic=watchdog");
        }
        SystemClock.now()
    }

    fn sleep_until(&mut self, deadline: Timestamp) {
        SystemClock.sleep_until(deadline);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inject::{Drill, FaultPlace};

    #[test]
    fn a_stepped_clock_is_ahead_by_all_steps_that_have_begun_and_still_ticks() {
        let drill = Drill::parse_list("clock.step=90s,clock.step=2min,clock.step=1min@1min").unwrap();
        let mut clock = SteppedClock::new(drill.own(FaultPlace::Clock), drill.clock().clone());
        let before = SystemClock.now();
        let ahead = |clock: &mut SteppedClock| clock.now().since(before);
        assert!(ahead(&mut clock) < Duration::from_secs(60), "before the drill begins it is the system's");
        drill.clock().start();
        assert!((Duration::from_secs(210)..Duration::from_secs(260)).contains(&ahead(&mut clock)));
        let deadline = clock.now() + Duration::from_millis(5);
        clock.sleep_until(deadline);
        assert!(clock.now() >= deadline);
    }
}
