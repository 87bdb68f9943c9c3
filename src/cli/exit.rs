//! Exit codes, and the errors that lead to them.

use std::process::ExitCode;

use crate::arm::{ArmError, LinkFault};
use crate::camera::CameraError;
use crate::config::ConfigError;
use crate::control::{EndCause, StopKind, WayRefused};
use crate::episode::EpisodeError;
use crate::episode::run_log::RunLogError;
use crate::policy::PolicyError;
use crate::replay::ReplayError;
use crate::runtime::{SessionError, TeachError};
use crate::sim::SimError;
use crate::sim::virtual_time::VirtualError;

/// How the program ends; documented in the README and by `roarm --help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: failed.
    Failed,
    /// 2: bad arguments or configuration.
    BadArguments,
    /// 3: refused by a check before the start; nothing moved.
    Refused,
    /// 4: ended by a protective or emergency stop.
    Stopped,
    /// 130, 143, 129: ended by Ctrl-C, SIGTERM, SIGHUP.
    Signal(u8),
}

impl Exit {
    /// The code for a run that ended for `cause`.
    pub const fn after_run(cause: EndCause) -> Self {
        match cause {
            EndCause::Interrupted => Self::Signal(130),
            EndCause::Terminated => Self::Signal(143),
            EndCause::HungUp => Self::Signal(129),
            EndCause::Declined | EndCause::OutsideLimits { .. } => Self::Refused,
            _ => match cause.kind() {
                StopKind::Normal => Self::Done,
                StopKind::Protective | StopKind::Emergency => Self::Stopped,
            },
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::BadArguments => 2,
            Exit::Refused => 3,
            Exit::Stopped => 4,
            Exit::Signal(code) => code,
        })
    }
}

/// Everything that can end a verb before its own summary.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// `roarm.toml`.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The policy bundle, ONNX Runtime or inference.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A camera or recording.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// A dataset.
    #[error(transparent)]
    Episode(EpisodeError),
    /// The serial port.
    #[error(transparent)]
    Arm(#[from] ArmError),
    /// The link to the board.
    #[error(transparent)]
    Link(#[from] LinkFault),
    /// The emulated arm.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// An episode in virtual time.
    #[error(transparent)]
    Virtual(#[from] VirtualError),
    /// The emulated arm ended while it was offered.
    #[error("{0}")]
    BoardEnded(SimError),
    /// The way of the first motion is not free.
    #[error(transparent)]
    Way(#[from] WayRefused),
    /// A run log.
    #[error(transparent)]
    RunLog(#[from] RunLogError),
    /// A run that cannot be played again.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// Threads.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A recording.
    #[error(transparent)]
    Teach(#[from] TeachError),
    /// A configuration file that the user named.
    #[error("cannot read {}: {source}. Check the path and its permissions", path.display())]
    File {
        /// Which.
        path: std::path::PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// The terminal or signals.
    #[error("cannot talk to the terminal: {0}")]
    Terminal(#[from] std::io::Error),
    /// Arguments that do not fit together.
    #[error("{0}")]
    Arguments(String),
    /// The machine, the arm or the policy do not fit together; nothing moved.
    #[error("{0}")]
    Refused(String),
    /// A signal came before the run had begun.
    #[error("ended by {} before anything moved", .0)]
    Signal(EndCause),
}

/// A run log is one, whoever reads it.
impl From<EpisodeError> for CliError {
    fn from(error: EpisodeError) -> Self {
        match error {
            EpisodeError::RunLog(error) => Self::RunLog(error),
            error => Self::Episode(error),
        }
    }
}

impl CliError {
    /// The exit code that belongs to it: everything here happens before the arm moves.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Config(_)
            | Self::Arguments(_)
            | Self::File { .. }
            | Self::RunLog(
                RunLogError::Read { .. } | RunLogError::Create { .. } | RunLogError::NotARunLog { .. },
            )
            | Self::Camera(CameraError::UnknownSource { .. } | CameraError::BadSource { .. }) => {
                Exit::BadArguments
            }
            Self::Replay(_) | Self::RunLog(RunLogError::NothingWhole { .. } | RunLogError::Write(_)) => {
                Exit::Failed
            }
            Self::Session(_)
            | Self::Teach(_)
            | Self::Terminal(_)
            | Self::BoardEnded(_)
            | Self::Episode(_)
            | Self::Virtual(_) => Exit::Failed,
            Self::Signal(cause) => Exit::after_run(*cause),
            Self::Policy(_)
            | Self::Camera(_)
            | Self::Arm(_)
            | Self::Link(_)
            | Self::Sim(_)
            | Self::Way(_)
            | Self::RunLog(_)
            | Self::Refused(_) => Exit::Refused,
        }
    }
}
