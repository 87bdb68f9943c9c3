//! What can go wrong with a frame source.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::episode::EpisodeError;

/// A frame source failed; the message names cause and fix.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CameraError {
    /// The `--camera` text names no known kind of source.
    #[error(
        "unknown camera source `{text}`: use v4l2:/dev/videoN, dataset:DIR:EPISODE or cell (the simulated cell)"
    )]
    UnknownSource {
        /// What was given.
        text: String,
    },
    /// A known kind of source with something that cannot be understood.
    #[error("camera source `{text}`: {problem}; expected {expected}")]
    BadSource {
        /// What was given.
        text: String,
        /// What is wrong in it.
        problem: String,
        /// The form of this kind of source.
        expected: &'static str,
    },
    /// The device node does not exist.
    #[error("camera {device} does not exist: plug it in, or list what there is with `ls /dev/video*`")]
    NoDevice {
        /// The device.
        device: PathBuf,
    },
    /// The user may not open the device.
    #[error(
        "no permission to open camera {device}: add yourself to its group with `sudo usermod -aG video $USER` and log in again"
    )]
    NoPermission {
        /// The device.
        device: PathBuf,
    },
    /// Another program has the camera.
    #[error("camera {device} is in use by another program: close it (`fuser -v {device}` names it)")]
    Busy {
        /// The device.
        device: PathBuf,
    },
    /// A node that is no camera: metadata, output, or no V4L2 device at all.
    #[error(
        "{device} delivers no video ({found}): many cameras have a second node for metadata, try the next lower number"
    )]
    NotACamera {
        /// The device.
        device: PathBuf,
        /// What it is.
        found: String,
    },
    /// The camera does not offer the format, size or rate that was asked for.
    #[error("camera {device} does not offer {asked}: it offers {offered}")]
    UnsupportedFormat {
        /// The device.
        device: PathBuf,
        /// What was asked for.
        asked: String,
        /// What can be asked for instead.
        offered: String,
    },
    /// Pulled, or its driver gave up.
    #[error("camera {device} was disconnected: check the cable and the USB port, then start again")]
    Disconnected {
        /// The device.
        device: PathBuf,
    },
    /// No frame came.
    #[error(
        "camera {device} sent no frame for {waited:?}: check that its lens cover or switch is open and no USB hub is overloaded"
    )]
    Timeout {
        /// The device.
        device: PathBuf,
        /// How long was waited.
        waited: Duration,
    },
    /// Frames come, but none can be used.
    #[error(
        "camera {device} sent {count} damaged frames in a row ({last}): use a shorter cable or another USB port, or format=yuyv"
    )]
    DamagedFrames {
        /// The device.
        device: PathBuf,
        /// How many.
        count: u32,
        /// What was wrong with the last.
        last: String,
    },
    /// Any other refusal of the driver.
    #[error(
        "camera {device}: {action} failed: {source}; unplug the camera and plug it in again, `dmesg` may say more"
    )]
    Device {
        /// The device.
        device: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The system's word.
        source: io::Error,
    },
    /// A recording could not be read.
    #[error(transparent)]
    Recording(#[from] EpisodeError),
    /// A generator made a picture of another size than it said.
    #[error(
        "a picture of {width}x{height} does not fill its buffer: a fault in this program, please report it"
    )]
    WrongSize {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
}

impl CameraError {
    /// What the system's refusal of `action` means to the user.
    pub(super) fn device(device: &Path, action: &'static str, source: io::Error) -> Self {
        let device = device.to_path_buf();
        match rustix::io::Errno::from_io_error(&source) {
            Some(rustix::io::Errno::NOENT) => Self::NoDevice { device },
            Some(rustix::io::Errno::ACCESS | rustix::io::Errno::PERM) => Self::NoPermission { device },
            Some(rustix::io::Errno::BUSY) => Self::Busy { device },
            Some(rustix::io::Errno::NODEV | rustix::io::Errno::NXIO) => Self::Disconnected { device },
            Some(rustix::io::Errno::NOTTY) => Self::NotACamera { device, found: "no V4L2 device".to_owned() },
            _ => Self::Device { device, action, source },
        }
    }
}
