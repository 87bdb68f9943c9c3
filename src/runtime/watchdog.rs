//! Watches that control ticks. A control thread that hangs loses the arm to the owner of the port.

use std::thread;
use std::time::Duration;

use super::arm_port::HoldGuardian;
use super::clock::SessionClock;
use super::shared::Shared;
use super::watched::ThreadFailed;
use crate::control::EndCause;

/// Control may miss so many ticks …
const PERIODS: u32 = 10;
/// … and may at least be silent for so long.
const SHORTEST: Duration = Duration::from_millis(250);
/// Looks within the time allowed.
const LOOKS: u32 = 10;

/// How long control may be silent: it may not hang longer than the arm's feedback may be old.
pub(super) fn patience(period: Duration, max_feedback_age: Duration) -> Duration {
    (period * PERIODS).max(SHORTEST).max(max_feedback_age)
}

/// Counts looks at which control had not ticked.
///
/// Looks are counted, not the clock: when the whole process was stopped (SIGSTOP, a suspended machine), control is not to blame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StallDetector {
    seen: u64,
    silent_looks: u32,
}

impl StallDetector {
    /// Whether control hangs, having ticked `ticks` times by now.
    pub(super) fn look(&mut self, ticks: u64) -> bool {
        if ticks == self.seen {
            self.silent_looks += 1;
        } else {
            *self = Self { seen: ticks, silent_looks: 0 };
        }
        self.silent_looks > LOOKS
    }
}

/// Watches until the session is over. Begins with the first tick: before it nothing has moved.
pub(super) fn run(
    shared: &Shared,
    guardian: Option<&dyn HoldGuardian>,
    clock: &mut dyn SessionClock,
    patience: Duration,
) {
    let mut detector = StallDetector::default();
    while !shared.is_over() {
        wait(shared, clock, patience / LOOKS);
        let ticks = shared.ticks();
        if detector.look(ticks) && ticks > 0 && !shared.is_over() {
            // Control first: nothing that it still does may reach the arm.
            shared.abandon_control();
            if let Some(guardian) = guardian {
                guardian.take_over();
            }
            shared.fail(EndCause::ProgramFailed, &ThreadFailed::Stalled { stalled_ms: patience.as_millis() });
            return;
        }
    }
}

/// Waits for `time`, or until the session is over and its owner unparks this thread.
fn wait(shared: &Shared, clock: &mut dyn SessionClock, time: Duration) {
    let mut now = clock.now();
    let until = now + time;
    while !shared.is_over() && now < until {
        thread::park_timeout(until.since(now));
        now = clock.now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_hangs_after_ten_silent_looks_in_a_row() {
        let mut detector = StallDetector::default();
        assert!((1..100).all(|ticks| !detector.look(ticks)));
        assert!((0..LOOKS).all(|_| !detector.look(99)));
        assert!(!detector.look(100), "one tick in time");
        assert!((0..LOOKS).all(|_| !detector.look(100)));
        assert!(detector.look(100));
    }

    #[test]
    fn patience_is_the_longest_of_its_reasons() {
        let millis = Duration::from_millis;
        assert_eq!(patience(millis(20), millis(250)), millis(250));
        assert_eq!(patience(millis(200), millis(250)), millis(2000));
        assert_eq!(patience(millis(20), millis(2000)), millis(2000));
        assert_eq!(patience(millis(5), millis(50)), millis(250));
    }
}
