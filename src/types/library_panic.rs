//! Libraries that panic on a file from outside.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls a library that takes some values of a file unchecked; `None` if it panicked. For verbs' own threads and before anything
/// moves: never in the control tick.
pub(crate) fn without_panic<T>(call: impl FnOnce() -> T) -> Option<T> {
    // Nothing that the call may have left half-done is looked at afterwards.
    catch_unwind(AssertUnwindSafe(call)).ok()
}
