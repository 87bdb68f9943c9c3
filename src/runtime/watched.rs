//! A panic in any thread of a run ends the run in the hold, at once.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::shared::Shared;
use crate::control::EndCause;

/// Why a thread of a run ended although it must not.
#[derive(Debug, thiserror::Error)]
pub(super) enum ThreadFailed {
    #[error("the {thread} thread panicked: {message}. This is a bug in roarm, please report it")]
    Panicked { thread: &'static str, message: String },
    #[error(
        "the control thread has not ticked for {stalled_ms} ms, and the link took the hold over. This is a bug in roarm or a stalled \
         machine"
    )]
    Stalled { stalled_ms: u128 },
}

/// Runs a thread's body. A panic asks control for a protective stop and is told in the summary.
///
/// `None` after a panic. What the body had borrowed mutably may be half changed then: let nobody compute with it.
pub(super) fn watched<T>(thread: &'static str, shared: &Shared, body: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => Some(value),
        Err(payload) => {
            let message = message(&*payload).to_owned();
            shared.fail(EndCause::ProgramFailed, &ThreadFailed::Panicked { thread, message });
            None
        }
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "panics are the subject")]
    use super::*;

    #[test]
    fn a_panic_is_a_stop_with_thread_and_message() {
        let shared = Shared::default();
        assert_eq!(watched("camera", &shared, || 3), Some(3));
        assert_eq!((shared.take_stop(), shared.error()), (None, None));
        assert_eq!(watched("camera", &shared, || -> u8 { panic!("slot {}", 2) }), None);
        assert_eq!(shared.take_stop(), Some(EndCause::ProgramFailed));
        let error = shared.error().unwrap_or_default();
        assert!(error.starts_with("the camera thread panicked: slot 2."), "{error}");
        assert_eq!(watched("inference", &shared, || -> u8 { panic!("later") }), None);
        assert_eq!(shared.error(), Some(error), "the first error is the cause");
    }
}
