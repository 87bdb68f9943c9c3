//! Keys of the person at this machine.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};

use super::terminal;
use crate::control::EndCause;

/// Where the terminal's keys go: while the arm moves, any of them is an emergency stop; otherwise they answer questions.
pub(super) struct Keyboard {
    keys: Receiver<u8>,
    /// How the terminal was before.
    before: Option<Termios>,
    guard: Arc<AtomicBool>,
    interactive: bool,
}

impl Keyboard {
    /// Takes the keys of the terminal that this program was started on, if there is one: each is delivered at once, without Enter.
    /// While [`Keyboard::guard_motion`] says that the arm moves, a key calls `stop` from the keyboard's own thread, whatever the
    /// rest of the program waits for, unless `steer` takes the key.
    ///
    /// `watch` has a panic of that thread end the run in the hold.
    pub(super) fn open<B: FnOnce() + Send + 'static>(
        stop: impl Fn(EndCause) + Send + 'static,
        steer: impl Fn(u8) -> bool + Send + 'static,
        watch: impl FnOnce(Box<dyn FnOnce() + Send>) -> B,
    ) -> Self {
        let (sender, keys) = channel();
        let guard = Arc::new(AtomicBool::new(false));
        if !terminal::is_interactive() {
            return Self { keys, before: None, guard, interactive: false };
        }
        let before = single_keys();
        let moving = Arc::clone(&guard);
        std::thread::spawn(watch(Box::new(move || listen(&sender, &moving, &stop, &steer))));
        Self { keys, before, guard, interactive: true }
    }

    /// Whether a person can answer.
    pub(super) const fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Says whether the arm moves: from then on, every key stops it.
    pub(super) fn guard_motion(&self, moving: bool) {
        self.guard.store(moving, Ordering::Release);
    }

    /// The next key that was no stop; an error when no more can come.
    pub(super) fn key(&self) -> Result<Option<u8>, TryRecvError> {
        match self.keys.try_recv() {
            Ok(key) => Ok(Some(key)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(TryRecvError::Disconnected),
        }
    }

    /// Throws away what was typed before a question.
    pub(super) fn forget(&self) {
        // Where standard input cannot be flushed, nothing was typed into a terminal.
        let _no_terminal = tcflush(std::io::stdin(), QueueSelector::IFlush);
        while self.keys.try_recv().is_ok() {}
    }

    /// A keyboard whose keys come from a test.
    #[cfg(test)]
    pub(super) fn scripted(keys: Receiver<u8>) -> Self {
        Self { keys, before: None, guard: Arc::default(), interactive: true }
    }

    /// No keyboard at all.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self { keys: channel().1, before: None, guard: Arc::default(), interactive: false }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // A terminal that was closed needs no restoring.
            let _closed = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Has the terminal deliver each key at once and not show it; Ctrl-C stays a signal. What it was before, if it could be changed.
fn single_keys() -> Option<Termios> {
    let before = tcgetattr(std::io::stdin()).ok()?;
    // A job in the background must leave the terminal alone: it would be stopped by SIGTTOU.
    let foreground = rustix::termios::tcgetpgrp(std::io::stdin()).ok()? == rustix::process::getpgrp();
    let mut single = before.clone();
    single.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
    (foreground && tcsetattr(std::io::stdin(), OptionalActions::Now, &single).is_ok()).then_some(before)
}

/// Reads keys for ever; ends with the terminal or with the program.
fn listen(keys: &Sender<u8>, moving: &AtomicBool, stop: &impl Fn(EndCause), steer: &impl Fn(u8) -> bool) {
    for key in std::io::stdin().lock().bytes() {
        let Ok(key) = key else { return };
        if moving.load(Ordering::Acquire) {
            if !steer(key) {
                stop(EndCause::EmergencyStop);
            }
        } else if keys.send(key).is_err() {
            return;
        }
    }
}
