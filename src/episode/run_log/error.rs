//! What can go wrong with a run log as a whole. Damage inside a log is no error: it is told by [`LogState`](super::LogState).

use std::io;
use std::path::PathBuf;

/// A log could not be read or written; the message names the file, what is wrong with it, and the fix.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunLogError {
    /// The file cannot be opened or read.
    #[error("cannot read {path}: {source}; check the path, its permissions and the disk")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// The file cannot be made.
    #[error("cannot write {path}: {source}; {fix}")]
    Create {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
        /// What helps.
        fix: &'static str,
    },
    /// Writing failed.
    #[error("{0}")]
    Write(#[from] WriteFailed),
    /// Some other file.
    #[error(
        "{path} is no run log of roarm: {problem}. Give a file that `roarm run --log` or `roarm demo --log` wrote"
    )]
    NotARunLog {
        /// The file.
        path: PathBuf,
        /// What shows it.
        problem: String,
    },
    /// Cut or damaged so early that not even its first record is whole.
    #[error("{path} holds no whole record ({problem}): nothing can be recovered from it")]
    NothingWhole {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Written by a later roarm in a format that this one cannot know.
    #[error("{path} has format {major}.{minor}, this roarm reads up to {}.x: update roarm", super::FORMAT.major)]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// What it says.
        major: u32,
        /// What it says.
        minor: u32,
    },
}

/// Why nothing more can be written to a log.
#[derive(Debug, thiserror::Error)]
pub enum WriteFailed {
    /// The system refused a write.
    #[error("{0}")]
    File(#[from] io::Error),
    /// The MCAP library refused.
    #[error("the MCAP library: {0}")]
    Container(mcap::McapError),
    /// A picture could not be compressed.
    #[error("a picture cannot be compressed: {0}")]
    Picture(image::ImageError),
    /// The thread that compresses pictures panicked.
    #[error("the thread that compresses pictures panicked")]
    PicturesPanicked,
}

impl WriteFailed {
    /// What a person can do about it.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::File(error) if error.kind() == io::ErrorKind::StorageFull => {
                "make room on the disk, or log to another one"
            }
            Self::File(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                "raise the limit on file sizes (ulimit -f)"
            }
            Self::File(_) => "check the disk",
            Self::Container(_) | Self::Picture(_) | Self::PicturesPanicked => {
                "this is a bug in roarm, please report it"
            }
        }
    }
}

impl From<mcap::McapError> for WriteFailed {
    fn from(error: mcap::McapError) -> Self {
        match error {
            mcap::McapError::Io(error) => Self::File(error),
            other => Self::Container(other),
        }
    }
}

impl From<image::ImageError> for WriteFailed {
    fn from(error: image::ImageError) -> Self {
        Self::Picture(error)
    }
}

/// A message that is whole but says something that it cannot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreadable(pub(super) String);

impl Unreadable {
    /// A part that has to be there.
    pub(super) fn missing(what: &str) -> Self {
        Self(format!("it has no {what}"))
    }

    /// A part that has a value it cannot have.
    pub(super) fn invalid(what: &str, found: impl std::fmt::Display) -> Self {
        Self(format!("{what} cannot be {found}"))
    }
}

impl From<prost::DecodeError> for Unreadable {
    fn from(error: prost::DecodeError) -> Self {
        Self(error.to_string())
    }
}
