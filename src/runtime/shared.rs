//! What the threads of a session tell each other outside the mailboxes.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::control::{EndCause, StopKind};
use crate::types::Playback;

/// Causes that a thread other than control may give, with the number that carries each through an atomic.
const CAUSES: [EndCause; 13] = [
    EndCause::SourceEnded,
    EndCause::EpisodeOver,
    EndCause::Interrupted,
    EndCause::Terminated,
    EndCause::HungUp,
    EndCause::Declined,
    EndCause::PolicyFailed,
    EndCause::CameraFailed,
    EndCause::LinkLost,
    EndCause::DeadBus,
    EndCause::ProgramFailed,
    EndCause::EmergencyStop,
    EndCause::ControlStalled,
];

/// The cause with this number; 0 is none.
fn waiting(code: u8) -> Option<EndCause> {
    CAUSES.get(usize::from(code).checked_sub(1)?).copied()
}

/// Flags that control reads without waiting, and the first error's text, which it never touches.
#[derive(Default)]
pub(super) struct Shared {
    /// Number of the proposal that was consented to; 0 is none.
    go: AtomicU32,
    stop: AtomicU8,
    reset: AtomicBool,
    paused: AtomicBool,
    /// Single actions asked for so far.
    steps: AtomicU32,
    running: AtomicBool,
    over: AtomicBool,
    /// Control's ticks so far: what the watchdog looks at.
    ticks: AtomicU64,
    /// The arm was taken away from a control thread that hangs.
    abandoned: AtomicBool,
    error: Mutex<Option<String>>,
}

impl Shared {
    pub(super) fn allow_motion(&self, proposal: u32) {
        self.go.store(proposal, Ordering::Release);
    }

    /// The number of the proposal that was consented to.
    pub(super) fn motion_allowed(&self) -> Option<u32> {
        Some(self.go.load(Ordering::Acquire)).filter(|number| *number > 0)
    }

    /// Asks control for the end; a more urgent cause that still waits there is kept. Causes that only control itself can find
    /// are not carried.
    pub(super) fn ask_stop(&self, cause: EndCause) {
        let Some(place) = CAUSES.iter().position(|known| *known == cause) else { return };
        let kept = |code: u8| match waiting(code) {
            Some(before) if before.kind() != StopKind::Normal && before.kind() >= cause.kind() => None,
            _ => u8::try_from(place + 1).ok(),
        };
        // An error says that the cause before was kept.
        let _kept = self.stop.fetch_update(Ordering::AcqRel, Ordering::Acquire, kept);
    }

    /// The newest request to stop, once.
    pub(super) fn take_stop(&self) -> Option<EndCause> {
        waiting(self.stop.swap(0, Ordering::AcqRel))
    }

    /// Asks control to take the arm out of its latched stop.
    pub(super) fn ask_reset(&self) {
        self.reset.store(true, Ordering::Release);
    }

    /// Whether a reset was asked for, once.
    pub(super) fn take_reset(&self) -> bool {
        self.reset.load(Ordering::Acquire) && self.reset.swap(false, Ordering::AcqRel)
    }

    /// Pauses what is played, or lets it go on.
    pub(super) fn toggle_pause(&self) {
        self.paused.fetch_xor(true, Ordering::AcqRel);
    }

    /// Lets a paused playhead go on by one action.
    pub(super) fn step_once(&self) {
        self.steps.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn playback(&self) -> Playback {
        Playback { paused: self.paused.load(Ordering::Acquire), steps: self.steps.load(Ordering::Acquire) }
    }

    /// Keeps the first error's text for the summary and asks for the end.
    pub(super) fn fail(&self, cause: EndCause, error: &dyn std::error::Error) {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.to_string());
        self.ask_stop(cause);
    }

    pub(super) fn error(&self) -> Option<String> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The policy has taken charge.
    pub(super) fn set_running(&self) {
        self.running.store(true, Ordering::Release);
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Acquire)
    }

    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Release);
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Control has finished a tick.
    pub(super) fn count_tick(&self) {
        self.ticks.fetch_add(1, Ordering::Release);
    }

    pub(super) fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Acquire)
    }

    /// Control must not command any more: somebody else holds the arm.
    pub(super) fn abandon_control(&self) {
        self.abandoned.store(true, Ordering::Release);
    }

    pub(super) fn is_control_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_arrives_once() {
        let shared = Shared::default();
        assert_eq!(shared.take_stop(), None);
        for cause in CAUSES {
            shared.ask_stop(cause);
            assert_eq!(shared.take_stop(), Some(cause));
            assert_eq!(shared.take_stop(), None);
        }
    }

    #[test]
    fn a_protective_cause_is_not_covered_by_a_normal_one() {
        let shared = Shared::default();
        shared.ask_stop(EndCause::EpisodeOver);
        assert_eq!(shared.take_stop(), Some(EndCause::EpisodeOver));
        shared.ask_stop(EndCause::Interrupted);
        shared.ask_stop(EndCause::CameraFailed);
        shared.ask_stop(EndCause::Interrupted);
        assert_eq!(shared.take_stop(), Some(EndCause::CameraFailed));
    }
}
