//! Faults of a virtual board, on the board's own clock.

mod error;
mod kind;
mod schedule;
mod wire_noise;

use std::fmt;
use std::time::Duration;

pub use error::FaultError;
pub use kind::{FaultHelp, FaultKind};
pub(super) use schedule::{Change, FaultSchedule};
pub(super) use wire_noise::WireNoise;

use crate::types::TimedFault;

/// A fault that will happen to one board, or to all of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Which board, counted from 1; `None` is each.
    pub board: Option<usize>,
    /// What happens.
    pub kind: FaultKind,
    /// When it begins, on the board's clock.
    pub start: Duration,
    /// How long it lasts; `None` is to the end.
    pub duration: Option<Duration>,
    text: String,
}

impl Fault {
    /// Reads a list of faults, see [`TimedFault`] for its form and [`FaultHelp::ALL`] for the names.
    ///
    /// # Errors
    /// What is wrong, with the nearest valid name and an example.
    pub fn parse_list(list: &str, boards: usize) -> Result<Vec<Self>, FaultError> {
        TimedFault::parse_list(list)?.into_iter().map(|fault| Self::of(&fault, boards)).collect()
    }

    fn of(fault: &TimedFault, boards: usize) -> Result<Self, FaultError> {
        let kind = FaultKind::of(fault)?;
        if let Some(board) = fault.target.filter(|&board| board > boards) {
            return Err(FaultError::Board { fault: fault.to_string(), board, boards });
        }
        if kind.is_momentary() && fault.duration.is_some() {
            return Err(FaultError::Momentary { fault: fault.to_string(), name: fault.name.clone() });
        }
        let text = TimedFault { target: None, ..fault.clone() }.to_string();
        Ok(Self { board: fault.target, kind, start: fault.start, duration: fault.duration, text })
    }

    /// Whether it happens to a board (counted from 1).
    pub fn concerns(&self, board: usize) -> bool {
        self.board.is_none_or(|addressed| addressed == board)
    }
}

impl fmt::Display for Fault {
    /// As it would be written in a list, without the board.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
