//! The one error of this tool.

use std::path::Path;
use std::process::ExitCode;

/// Why a verb ended without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something went wrong; the text names cause and fix.
    Message(String),
    /// The command line was wrong.
    Usage(String),
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::Message(message.into())
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// An I/O error on `path` while doing `what` ("read", "create").
    pub(crate) fn io(what: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::Message(format!("cannot {what} {}: {error}", path.display()))
    }

    /// The text for people.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Message(text) | Self::Usage(text) => text,
        }
    }

    /// 1 for a failure, 2 for a wrong command line.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Message(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
        }
    }
}
