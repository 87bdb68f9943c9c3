//! What can go wrong with the arm.

use std::io;
use std::path::PathBuf;

use super::link::LinkFault;
use super::port::PortHolders;

/// The arm cannot be used; the message names cause and fix.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArmError {
    /// No such path.
    #[error(
        "serial port {path} does not exist; {}",
        if candidates.is_empty() {
            "no USB serial port is there at all: plug the arm in (socket marked USB, not LADAR), then `ls /dev/ttyUSB*`".to_owned()
        } else {
            format!("there is {}: use that one", join(candidates))
        }
    )]
    NoPort {
        /// What was asked for.
        path: PathBuf,
        /// USB serial ports that exist.
        candidates: Vec<PathBuf>,
    },
    /// The path is a file or another device.
    #[error("{path} is not a serial port; give a device such as /dev/ttyUSB0 or /dev/serial/by-id/…")]
    NotASerialPort {
        /// What was asked for.
        path: PathBuf,
    },
    /// The user may not open it.
    #[error(
        "no permission to open {path}: it belongs to group {group}; run `sudo usermod -aG {group} $USER`, then log out and in"
    )]
    NoPermission {
        /// The port.
        path: PathBuf,
        /// The group that may (dialout on Debian, uucp on Arch).
        group: String,
    },
    /// Another process has it open. Two programs on one port corrupt each other's lines.
    #[error("{path} is in use by {holders}")]
    Busy {
        /// The port.
        path: PathBuf,
        /// Who holds it, as far as can be seen.
        holders: PortHolders,
    },
    /// Any other refusal of the system.
    #[error("cannot open serial port {path}: {message}; unplug it, plug it in again and look at `dmesg`")]
    Open {
        /// The port.
        path: PathBuf,
        /// The system's words.
        message: String,
    },
    /// A port that was opened refused a setting.
    #[error("cannot set up serial port {path} ({step}): {source}")]
    SetUp {
        /// The port.
        path: PathBuf,
        /// What was being set.
        step: &'static str,
        /// The system's words.
        source: io::Error,
    },
    /// The link's thread could not be started.
    #[error("cannot start the arm link: {0}; is the limit of threads or open files reached (`ulimit -a`)?")]
    Start(#[source] io::Error),
    /// The link gave up.
    #[error("{0}")]
    Link(#[from] LinkFault),
    /// The caller stopped waiting.
    #[error("stopped while waiting for the arm to be ready")]
    Interrupted,
}

fn join(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
