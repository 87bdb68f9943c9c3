//! Ending an inference before its time: on a stop request from another thread, or at a time limit.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ort::session::RunOptions;

use crate::policy::PolicyError;

/// Ends the chunk that an engine computes, from any thread. Clones ask for the same engine.
#[derive(Clone)]
pub struct Interrupter(Arc<Shared>);

impl fmt::Debug for Interrupter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Interrupter").finish_non_exhaustive()
    }
}

impl Interrupter {
    /// Ends the chunk that is being computed between two kernels, with [`PolicyError::Interrupted`]. If none is being computed, the next
    /// one is refused so: a request is never lost, and stops one chunk. The engine can be used afterwards.
    pub fn interrupt(&self) {
        self.0.stop(Cause::Asked);
    }
}

/// Why a chunk was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Asked,
    TooLate,
}

#[derive(Debug, Default)]
struct State {
    cause: Option<Cause>,
    /// When the chunk that is being computed must be finished.
    deadline: Option<Instant>,
    closing: bool,
}

struct Shared {
    options: RunOptions,
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self, cause: Cause) {
        let mut state = self.lock();
        state.cause.get_or_insert(cause);
        // Under the lock, so that `finish` cannot reset the flag before it is set. It fails on a null pointer only.
        let _cannot_fail = self.options.terminate();
    }

    /// Ends chunks at their deadline until the engine goes.
    fn watch(&self) {
        let mut state = self.lock();
        while !state.closing {
            let left = state.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            state = match left {
                Some(left) if left.is_zero() => {
                    state.deadline = None;
                    drop(state);
                    self.stop(Cause::TooLate);
                    self.lock()
                }
                Some(left) => {
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

/// The engine's side: one chunk after another, each with the same time limit.
pub(super) struct Interruptible {
    shared: Arc<Shared>,
    limit: Option<Duration>,
    watchdog: Option<JoinHandle<()>>,
}

impl Interruptible {
    /// Without a limit there is no watchdog thread.
    pub(super) fn new(limit: Option<Duration>) -> Result<Self, PolicyError> {
        let failed = |reason: String| PolicyError::Inference { graph: "run options", reason };
        let options = RunOptions::new().map_err(|error| failed(error.to_string()))?;
        let shared = Arc::new(Shared { options, state: Mutex::default(), changed: Condvar::new() });
        let watchdog = limit.map(|_| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name("inference limit".to_owned()).spawn(move || shared.watch())
        });
        let watchdog = watchdog.transpose().map_err(|error| failed(error.to_string()))?;
        Ok(Self { shared, limit, watchdog })
    }

    pub(super) fn interrupter(&self) -> Interrupter {
        Interrupter(Arc::clone(&self.shared))
    }

    /// What each graph runs under.
    pub(super) fn options(&self) -> &RunOptions {
        &self.shared.options
    }

    /// A chunk begins.
    pub(super) fn begin(&self) {
        let Some(limit) = self.limit else { return };
        self.shared.lock().deadline = Some(Instant::now() + limit);
        self.shared.changed.notify_one();
    }

    /// The chunk has ended; an error if somebody ended it, or asked to before it was handed over.
    pub(super) fn finish(&self) -> Result<(), PolicyError> {
        let mut state = self.shared.lock();
        state.deadline = None;
        let Some(cause) = state.cause.take() else { return Ok(()) };
        let reset = self.shared.options.unterminate();
        drop(state);
        reset.map_err(|error| PolicyError::Inference { graph: "run options", reason: error.to_string() })?;
        Err(match cause {
            Cause::Asked => PolicyError::Interrupted,
            Cause::TooLate => PolicyError::TooSlow { limit_ms: self.limit.unwrap_or_default().as_millis() },
        })
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.changed.notify_one();
        if let Some(watchdog) = self.watchdog.take() {
            let _ended = watchdog.join();
        }
    }
}
