//! What the threads of a session tell each other outside the mailboxes.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::control::EndCause;

/// Causes that a thread other than control may give, with the number that carries each through an atomic.
const CAUSES: [EndCause; 9] = [
    EndCause::SourceEnded,
    EndCause::Interrupted,
    EndCause::Terminated,
    EndCause::HungUp,
    EndCause::Declined,
    EndCause::PolicyFailed,
    EndCause::CameraFailed,
    EndCause::LinkLost,
    EndCause::DeadBus,
];

/// Flags that control reads without waiting, and the first error's text, which it never touches.
#[derive(Default)]
pub(super) struct Shared {
    go: AtomicBool,
    stop: AtomicU8,
    over: AtomicBool,
    error: Mutex<Option<String>>,
}

impl Shared {
    pub(super) fn allow_motion(&self) {
        self.go.store(true, Ordering::Release);
    }

    pub(super) fn motion_allowed(&self) -> bool {
        self.go.load(Ordering::Acquire)
    }

    /// Asks control for the end. Causes that only control itself can find are not carried.
    pub(super) fn ask_stop(&self, cause: EndCause) {
        if let Some(code) = CAUSES.iter().position(|known| *known == cause) {
            self.stop.store(code as u8 + 1, Ordering::Release);
        }
    }

    /// The newest request to stop, once.
    pub(super) fn take_stop(&self) -> Option<EndCause> {
        let code = self.stop.swap(0, Ordering::AcqRel);
        CAUSES.get(usize::from(code).checked_sub(1)?).copied()
    }

    /// Keeps the first error's text for the summary and asks for the end.
    pub(super) fn fail(&self, cause: EndCause, error: &dyn std::error::Error) {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.to_string());
        self.ask_stop(cause);
    }

    pub(super) fn error(&self) -> Option<String> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Release);
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
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
}
