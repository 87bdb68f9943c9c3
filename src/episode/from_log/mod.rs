//! Episodes out of run logs, on their way into a dataset.
//!
//! ```text
//! run log ──ticks──▶ stretches in which the policy moved the arm ──▶ one frame every 1/fps: the nearest tick
//!         ──pictures that those frames show, decoded by another thread──▶ NewFrame
//! ```
//!
//! A frame is what the core knew and did in one tick: the newest measured pose, the goal it commanded last, the newest picture of each
//! camera. An episode that failed, or of which something is missing, says so ([`LoggedEpisode::set_aside`]).

mod outline;
mod pictures;
mod source;
mod stretches;
#[cfg(test)]
mod tests;
mod ticks;

use std::path::{Path, PathBuf};

pub use self::source::LoggedEpisodes;

use self::outline::Outlines;
use self::ticks::LoggedTicks;
use super::{DatasetOutline, EpisodeError};
use crate::types::{DatasetAngles, MAX_CAMERAS, Timestamp};

/// The name that LeRobot's plugin gives this arm.
const ROBOT_TYPE: &str = "roarm_m3";

/// One episode of a run log.
#[derive(Clone, Debug)]
pub struct LoggedEpisode {
    /// The log.
    pub log: PathBuf,
    /// Its number in the log, from 0: after a stop and a reset another one begins.
    pub number: usize,
    /// What the operator was asked to do.
    pub task: String,
    /// Why it is no good example: it failed, the log was cut in it, pictures are missing. `None` for a sound one.
    pub set_aside: Option<String>,
    frames: Vec<LoggedFrame>,
}

impl LoggedEpisode {
    /// How many frames it has.
    pub const fn length(&self) -> usize {
        self.frames.len()
    }
}

/// A frame of an episode before its pictures are decoded.
#[derive(Clone, Copy, Debug, PartialEq)]
struct LoggedFrame {
    state: DatasetAngles,
    action: DatasetAngles,
    /// When the pictures were taken, by slot: that tells them apart.
    pictures: [Option<Timestamp>; MAX_CAMERAS],
}

/// All episodes of some run logs.
#[derive(Clone, Debug)]
pub struct LoggedRuns {
    outline: DatasetOutline,
    episodes: Vec<LoggedEpisode>,
}

impl LoggedRuns {
    /// Looks for episodes. `fps` is the dataset's rate, by default the rate of the policy's actions; `progress` is told the log that is
    /// read next.
    ///
    /// # Errors
    /// If a log cannot be read, or the logs' rates or cameras differ.
    pub fn read(
        logs: &[PathBuf],
        fps: Option<f64>,
        progress: &mut dyn FnMut(&Path),
    ) -> Result<Self, EpisodeError> {
        let (mut outlines, mut episodes) = (Outlines::new(fps), Vec::new());
        for log in logs {
            progress(log);
            let ticks = LoggedTicks::read(log)?;
            let fps = outlines.add(log, &ticks)?;
            episodes.extend(stretches::episodes(log, &ticks, fps));
        }
        let outline = outlines.finish(ROBOT_TYPE)?;
        Ok(Self { outline, episodes })
    }

    /// What all episodes have in common.
    pub const fn outline(&self) -> &DatasetOutline {
        &self.outline
    }

    /// All episodes, in the order of the logs.
    pub fn episodes(&self) -> &[LoggedEpisode] {
        &self.episodes
    }

    /// Whether an episode has a picture of every camera in every frame: without, it cannot be written, sound or not.
    pub fn has_all_pictures(&self, episode: &LoggedEpisode) -> bool {
        let cameras = self.outline.cameras.len();
        episode.frames.iter().all(|frame| frame.pictures.iter().flatten().count() == cameras)
    }

    /// The episodes for which `choose` says so, to be written. Those that lack pictures are left out.
    pub fn select(&self, choose: impl Fn(&LoggedEpisode) -> bool) -> LoggedEpisodes {
        let chosen = self.episodes.iter().filter(|episode| choose(episode) && self.has_all_pictures(episode));
        let chosen = chosen.cloned().collect();
        LoggedEpisodes::new(self.outline.clone(), chosen)
    }
}
