//! The live driver: one thread owns the port and drives a [`LinkMachine`](super::LinkMachine).
//!
//! ```text
//!   control thread                                    link thread (tokio, current-thread)
//!   ArmHandle::offer     ──newest command──▶ eventfd ──▶ T:102, whole lines only ──▶ port
//!   ArmHandle::latest_feedback ◀──newest pose───────────  LinkMachine  ◀── drains always ── port
//!   ArmHandle::take_written    ◀──ring, none lost───────  after the last byte of each line
//! ```
//!
//! The control side never allocates, locks or waits; `offer` makes one non-blocking system call (the eventfd). The newest
//! command wins, and one that waited longer than [`COMMAND_MAX_AGE`], or was made for an earlier connection, is thrown away:
//! nothing is ever sent late.
//!
//! **A port that is lost** is looked for, by the USB adapter's ids and place or by the path of a pseudo-terminal, and opened
//! again with growing pauses until [`LinkOptions::reconnect_timeout`].
//!
//! **The hold belongs to this thread** when control is gone: an [`ArmHandle`] that is dropped without
//! [`ArmHandle::release`] (a panic of its thread), a [`TakeOverSwitch`] that a watchdog pulls, or an owner that stops the link
//! under a moving arm. It then writes goals that come to rest, and ends after the hold.

mod handle;
mod open;
mod shared;
mod worker;

#[cfg(test)]
mod supervision_tests;
#[cfg(test)]
pub(in crate::arm) mod test_pty;
#[cfg(test)]
mod tests;

pub use handle::{ArmHandle, TakeOverSwitch};
pub use worker::COMMAND_MAX_AGE;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use firmware_protocol::Generation;

use super::error::ArmError;
use super::link::{LinkEvent, LinkFault, LinkOptions, LinkState, LinkStatistics};
use shared::Shared;

/// Counters of a live link.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SerialStatistics {
    /// Those of the protocol.
    pub link: LinkStatistics,
    /// Commands thrown away because no frame gave them room in time.
    pub stale_commands: u64,
    /// Commands thrown away because they were made for an earlier connection.
    pub outdated_commands: u64,
    /// Commands thrown away because a goal was not finite or no angle of a servo.
    pub refused_commands: u64,
}

/// Called each time that the link's thread looks around.
type OnLook = Box<dyn FnMut() + Send>;

/// What a program adds to the link's thread.
pub struct LinkHooks {
    /// Runs first (for its priority).
    pub on_start: Box<dyn FnOnce() + Send>,
    /// Runs each time that the thread looks around, at least a hundred times a second (for fault drills). Not after a panic.
    pub on_look: OnLook,
}

impl Default for LinkHooks {
    fn default() -> Self {
        Self { on_start: Box::new(|| {}), on_look: Box::new(|| {}) }
    }
}

/// The owner of a live link. Dropping it completes the line being written, ends the thread and closes the port; the arm holds
/// its last goal. Where control has not released the arm ([`ArmHandle::release`]), the link first brings it to rest, which
/// takes a second or so.
#[derive(Debug)]
pub struct SerialArm {
    path: PathBuf,
    shared: Arc<Shared>,
    events: Receiver<LinkEvent>,
    thread: Option<JoinHandle<()>>,
}

impl SerialArm {
    /// Opens any serial port, a pseudo-terminal included, and starts the handshake on a thread of its own.
    ///
    /// It returns at once; the arm is usable after [`SerialArm::wait_until_ready`].
    pub fn open(path: &Path, options: LinkOptions) -> Result<(Self, ArmHandle), ArmError> {
        Self::open_with(path, options, LinkHooks::default())
    }

    /// As [`SerialArm::open`], with what the program adds to the link's thread.
    pub fn open_with(
        path: &Path,
        options: LinkOptions,
        hooks: LinkHooks,
    ) -> Result<(Self, ArmHandle), ArmError> {
        let opened = open::open_first(path)?;
        let (handle, link_side) = handle::mailboxes().map_err(|errno| ArmError::Start(errno.into()))?;
        let shared = Arc::clone(&link_side.shared);
        let (event_sender, events) = std::sync::mpsc::sync_channel(256);
        let thread = std::thread::Builder::new()
            .name("arm-link".to_owned())
            .spawn(move || {
                let _guard = worker::EndGuard(Arc::clone(&link_side.shared));
                (hooks.on_start)();
                worker::run(opened, options, link_side, event_sender, hooks.on_look);
            })
            .map_err(ArmError::Start)?;
        Ok((Self { path: path.to_owned(), shared, events, thread: Some(thread) }, handle))
    }

    /// The port's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the link noticed since the last call, [`LinkEvent::Feedback`] left out.
    pub const fn events(&self) -> &Receiver<LinkEvent> {
        &self.events
    }

    /// Waits until the arm is ready, gave up, or `interrupted` says so (asked every 50 ms); shows each event on the way.
    ///
    /// [`LinkOptions`] bounds the wait: 30 s by default.
    pub fn wait_until_ready(
        &self,
        mut on_event: impl FnMut(&LinkEvent),
        interrupted: impl Fn() -> bool,
    ) -> Result<Generation, ArmError> {
        loop {
            match self.events.recv_timeout(Duration::from_millis(50)) {
                Ok(event) => {
                    on_event(&event);
                    match event {
                        LinkEvent::Ready { generation } => return Ok(generation),
                        LinkEvent::Fault(fault) => return Err(fault.into()),
                        _ => {}
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.fault().unwrap_or(LinkFault::ThreadEnded).into());
                }
            }
            if interrupted() {
                return Err(ArmError::Interrupted);
            }
        }
    }

    /// For a watchdog: takes the arm from a control side that hangs.
    pub fn take_over_switch(&self) -> TakeOverSwitch {
        TakeOverSwitch(Arc::clone(&self.shared))
    }

    /// Where the link stands.
    pub fn state(&self) -> LinkState {
        self.shared.published().state
    }

    /// Why the link gave up, if it did.
    pub fn fault(&self) -> Option<LinkFault> {
        self.shared.fault()
    }

    /// The board's generation, once known.
    pub fn generation(&self) -> Option<Generation> {
        self.shared.generation()
    }

    /// Counters, at most 100 ms old.
    pub fn statistics(&self) -> SerialStatistics {
        *self.shared.statistics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Completes the line being written, closes the port, and returns the final counters. A command that was offered but
    /// not begun is not sent: wait for its [`CommandWritten`](crate::types::CommandWritten) first.
    pub fn stop(mut self) -> SerialStatistics {
        self.end();
        self.statistics()
    }

    /// Whether the link's thread has ended, by itself or by a stop.
    pub fn thread_is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn end(&mut self) {
        self.shared.request_stop();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already noted as a fault by its own guard.
            let _ = thread.join();
        }
    }
}

impl Drop for SerialArm {
    fn drop(&mut self) {
        self.end();
    }
}
