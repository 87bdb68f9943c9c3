//! Why a list of faults was refused.

use crate::types::TimedFaultError;

/// The messages name cause and fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultError {
    /// It has not the form of a list of faults.
    #[error(transparent)]
    Form(#[from] TimedFaultError),
    /// A name that means nothing.
    #[error(
        "there is no fault `{name}`; did you mean `{nearest}`, for example {example}? (--fault help lists all)"
    )]
    UnknownName {
        /// The name as written.
        name: String,
        /// The known name that is spelt most like it.
        nearest: &'static str,
        /// How that one is written.
        example: &'static str,
    },
    /// A value that is missing, wrong, or has no place.
    #[error("`{fault}`: {name} takes {takes}, for example {example}")]
    Value {
        /// The fault as written.
        fault: String,
        /// Its name.
        name: &'static str,
        /// What it takes.
        takes: &'static str,
        /// How it is written.
        example: &'static str,
    },
    /// A moment with a duration.
    #[error("`{fault}`: {name} is over in a moment and takes no duration, for example {name}@5s")]
    Momentary {
        /// The fault as written.
        fault: String,
        /// Its name.
        name: String,
    },
    /// A board that is not there.
    #[error(
        "`{fault}` addresses board {board}, but there are {boards}: give --boards {board}, or another number before the colon"
    )]
    Board {
        /// The fault as written.
        fault: String,
        /// The board it addresses.
        board: usize,
        /// How many there are.
        boards: usize,
    },
}
