//! A panic of the thread that owns the port.

use super::{DrillClock, DrillFault};

/// Every fault of the link's thread is a panic.
#[expect(clippy::panic, reason = "a panic is the fault that was asked for")]
pub(super) fn panic_if_active(faults: &[DrillFault], clock: &DrillClock) {
    if faults.iter().any(|fault| clock.is_active(fault)) {
        panic!("injected by --inject thread.panic=link");
    }
}
