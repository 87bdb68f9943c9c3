//! What can go wrong with a frame source.

use std::path::PathBuf;

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
    /// The device node does not exist.
    #[error("camera {device} does not exist: plug it in, or list what there is with `ls /dev/video*`")]
    NoDevice {
        /// The device.
        device: PathBuf,
    },
}
