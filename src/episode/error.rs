//! What can go wrong when a dataset is read or written.

use std::io;
use std::path::{Path, PathBuf};

use super::run_log::RunLogError;

/// A dataset could not be read or written; the message names the file, what is wrong with it, and the fix.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EpisodeError {
    /// A file that the dataset must have is not there.
    #[error("{path} is missing: copy the whole dataset folder (meta/, data/ and videos/)")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused a read.
    #[error("cannot read {path}: {source}; check the file's permissions and the disk")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// Written by a LeRobot version with another layout.
    #[error(
        "{path} says codebase_version {found}, but this version reads v2.0, v2.1 and v3.0: convert an older dataset with \
         LeRobot's own converters, or update roarm for a newer one"
    )]
    UnsupportedVersion {
        /// `meta/info.json`.
        path: PathBuf,
        /// The version that it states.
        found: String,
    },
    /// A file contradicts itself or another file.
    #[error("{path} is damaged: {problem}; copy the file again, or record or export the dataset again")]
    Damaged {
        /// The file in which it shows.
        path: PathBuf,
        /// Where in it, what was expected and what was found.
        problem: String,
    },
    /// A sound dataset of another robot or form.
    #[error("{path} does not fit this arm: {problem}")]
    Unfit {
        /// The file in which it shows.
        path: PathBuf,
        /// What was expected and what was found.
        problem: String,
    },
    /// A path that leaves the dataset's folder.
    #[error(
        "{path} refers to `{target}`, which lies outside the dataset folder: refused; a dataset's files belong inside it"
    )]
    OutsideFolder {
        /// The file that holds the reference.
        path: PathBuf,
        /// The reference.
        target: String,
    },
    /// There is no such episode.
    #[error("{dataset} has no episode {episode}: it has {count}, counted from 0")]
    NoSuchEpisode {
        /// The dataset's folder.
        dataset: PathBuf,
        /// The episode that was asked for.
        episode: usize,
        /// How many there are.
        count: usize,
    },
    /// There is no such camera.
    #[error("{dataset} has no camera `{key}`: its cameras are {known}")]
    NoSuchCamera {
        /// The dataset's folder.
        dataset: PathBuf,
        /// The camera that was asked for.
        key: String,
        /// Those there are.
        known: String,
    },
    /// No camera was named and there is not exactly one.
    #[error("{dataset} has {count} cameras ({known}): name the one to use, dataset:DIR:EPISODE:CAMERA_KEY")]
    AmbiguousCamera {
        /// The dataset's folder.
        dataset: PathBuf,
        /// How many there are.
        count: usize,
        /// Their keys.
        known: String,
    },
    /// A video that is sound as far as seen but of a kind not decoded here.
    #[error(
        "{path} cannot be decoded here: {problem}; re-encode it as 8-bit yuv420p AV1 or H.264 (ffmpeg -c:v libx264)"
    )]
    UnsupportedVideo {
        /// The video.
        path: PathBuf,
        /// What it is.
        problem: String,
    },
    /// The decoder refused a picture.
    #[error(
        "{path}: frame {frame} cannot be decoded: {problem}; the file is damaged, copy or export it again"
    )]
    Decode {
        /// The video.
        path: PathBuf,
        /// Number of the frame in the file, in presentation order.
        frame: usize,
        /// The decoder's word.
        problem: String,
    },
    /// A frame number past the end.
    #[error("{path} has no frame {frame}: it has {count}")]
    NoSuchFrame {
        /// The video.
        path: PathBuf,
        /// The frame that was asked for.
        frame: usize,
        /// How many there are.
        count: usize,
    },
    /// A file could not be written.
    #[error("cannot write {path}: {source}; check the free space of the disk and the folder's permissions")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// A dataset cannot be written as it was asked for.
    #[error("{path} is not written: {problem}")]
    Refused {
        /// The new dataset's folder.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// A run log that a dataset is made from.
    #[error(transparent)]
    RunLog(#[from] RunLogError),
    /// A frame that does not belong into a dataset.
    #[error("frame {frame} of episode {episode} is not written: {problem}; repair or leave out the episode")]
    BadFrame {
        /// The new dataset's episode.
        episode: usize,
        /// The frame.
        frame: usize,
        /// Why.
        problem: String,
    },
}

impl EpisodeError {
    pub(super) fn damaged(path: &Path, problem: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_path_buf(), problem: problem.into() }
    }

    pub(super) fn unfit(path: &Path, problem: impl Into<String>) -> Self {
        Self::Unfit { path: path.to_path_buf(), problem: problem.into() }
    }

    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_path_buf(), source }
    }

    /// An I/O error at `path`; "not found" becomes [`EpisodeError::Missing`].
    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::NotFound {
            Self::Missing { path: path.to_path_buf() }
        } else {
            Self::Read { path: path.to_path_buf(), source }
        }
    }
}
