//! Why a list of faults was refused.

use crate::types::TimedFaultError;

/// The messages name cause and fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DrillError {
    /// It has not the form of a list of faults.
    #[error(transparent)]
    Form(#[from] TimedFaultError),
    /// A name that means nothing.
    #[error(
        "there is no fault `{name}`; did you mean `{nearest}`, for example {example}? (--inject help lists all)"
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
    /// A number in front of something of which there is one only.
    #[error("`{fault}`: only cameras are numbered; leave the number before the colon out")]
    Target {
        /// The fault as written.
        fault: String,
    },
}
