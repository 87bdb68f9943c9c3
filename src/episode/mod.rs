//! Recorded episodes: LeRobot datasets, read with nothing taken on trust, and the run log ([`run_log`]) of every kind of run.
//!
//! A [`Dataset`] is a folder of LeRobot's v3.0 layout (written by LeRobot 0.4 and later). Every count, index, path and number is
//! checked when it is read, and an error names the file and what is wrong in it. No file outside the folder is ever opened.

mod catalog;
mod columns;
mod dataset;
mod error;
mod frames;
mod info;
mod path_template;
pub mod run_log;
mod tasks;
mod video;

pub use dataset::{Dataset, Episode, VideoClip};
pub use error::EpisodeError;
pub use info::CameraInfo;
pub use video::VideoReader;
