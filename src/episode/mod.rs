//! Recorded episodes: LeRobot datasets, read with nothing taken on trust, and the run log ([`run_log`]) of every kind of run.
//!
//! A [`Dataset`] is a folder of LeRobot's layout v3.0 (written by LeRobot 0.4 and later), v2.1 or v2.0 (before). Every count, index,
//! path and number is checked when it is read, and an error names the file and what is wrong in it. No file outside the folder is
//! ever opened.

mod catalog;
mod check;
mod columns;
mod convert;
mod dataset;
mod error;
mod frames;
mod from_log;
mod images;
mod info;
mod legacy;
mod parquet_file;
mod path_template;
mod pictures;
mod repair;
pub mod run_log;
mod run_log_page;
mod stream;
mod tasks;
mod video;
mod write;

pub use check::{CheckOptions, CheckReport, CheckStep, Mending, Problem, ProblemKind, Unreachable, check};
pub use convert::DatasetEpisodes;
pub use dataset::{Dataset, Episode, VideoClip};
pub use error::EpisodeError;
pub use from_log::{LoggedEpisode, LoggedEpisodes, LoggedRuns};
pub use info::{CameraInfo, Layout, PictureStorage};
pub use pictures::EpisodePictures;
pub use repair::{Repair, storage_of};
pub use run_log_page::run_log_page;
pub use stream::PictureStream;
pub use video::{VideoReader, VideoWriter};
pub use write::{DatasetOutline, DatasetWriter, EpisodeSource, NewFrame, WriteStep, write_dataset};
