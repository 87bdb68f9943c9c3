//! Why a run cannot be played again.

use crate::episode::run_log::RunLogError;
use crate::policy::PolicyError;

/// The message names cause and fix.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The log.
    #[error(transparent)]
    RunLog(#[from] RunLogError),
    /// The policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Ticks are missing.
    #[error(
        "the log lacks the ticks between {after} and {next}: what the core knew of them is lost (roarm log info tells why)"
    )]
    TicksMissing {
        /// The last that is there.
        after: u64,
        /// The next that is there.
        next: u64,
    },
    /// A chunk is missing.
    #[error("the log lacks chunk {chunk}, which was played in tick {tick} (roarm log info tells why)")]
    ChunkMissing {
        /// Which.
        chunk: u64,
        /// When it arrived.
        tick: u64,
    },
}
