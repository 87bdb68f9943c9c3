//! Ctrl-C, SIGTERM and SIGHUP as causes to end. Once caught, none of them can kill the process before the hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::control::EndCause;

/// The newest signal that asks for the end.
#[derive(Clone)]
pub(super) struct Signals(Arc<AtomicUsize>);

impl Signals {
    /// Catches the three signals from now on.
    pub(super) fn catch() -> std::io::Result<Self> {
        let newest = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let number = usize::try_from(signal).unwrap_or(0);
            signal_hook::flag::register_usize(signal, Arc::clone(&newest), number)?;
        }
        Ok(Self(newest))
    }

    /// What the newest signal asks for, if one came since the last call.
    pub(super) fn take(&self) -> Option<EndCause> {
        match i32::try_from(self.0.swap(0, Ordering::AcqRel)) {
            Ok(SIGINT) => Some(EndCause::Interrupted),
            Ok(SIGTERM) => Some(EndCause::Terminated),
            Ok(SIGHUP) => Some(EndCause::HungUp),
            _ => None,
        }
    }
}
