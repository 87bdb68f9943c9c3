//! Writes LeRobot datasets of layout v3.0 that LeRobot 0.4 itself opens and trains on.
//!
//! ```text
//! EpisodeSource ──frames──▶ DatasetWriter ──▶ OpenEpisode ──▶ data file, videos (hidden)
//!                                  │ close                           │ move into place
//!                                  └──▶ lists, counts, statistics ──▶ `meta` exchanged in one step
//! ```

mod commit;
mod documents;
mod lists;
mod open_episode;
mod parquet_file;
mod rows;
mod source;
mod statistics;
mod writer;

use std::path::Path;

pub use self::source::{DatasetOutline, EpisodeSource, NewFrame};
pub use self::writer::DatasetWriter;

use super::{EpisodeError, PictureStorage};

/// How far the writing of a dataset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteStep {
    /// Episodes that are closed.
    pub episodes: usize,
    /// Episodes that there will be.
    pub of_episodes: usize,
    /// Frames written, those of the open episode included.
    pub frames: usize,
}

/// Writes all episodes of `source` into a new folder. Returns how many episodes and frames that were.
///
/// `progress` is told after each frame; `false` from it ends the writing, with the episodes closed so far.
pub fn write_dataset(
    source: &mut dyn EpisodeSource,
    folder: impl AsRef<Path>,
    storage: PictureStorage,
    progress: &mut dyn FnMut(&WriteStep) -> bool,
) -> Result<WriteStep, EpisodeError> {
    let mut writer = DatasetWriter::create(folder, source.outline().clone(), storage)?;
    let mut step = WriteStep { episodes: 0, of_episodes: source.episode_count(), frames: 0 };
    let mut frame = NewFrame::default();
    while source.next_episode()? {
        let before = step.frames;
        while source.next_frame(&mut frame)? {
            writer.add_frame(&frame)?;
            step.frames += 1;
            if !progress(&step) {
                step.frames = before;
                writer.discard_episode()?;
                return Ok(step);
            }
        }
        writer.close_episode()?;
        step.episodes += 1;
    }
    Ok(step)
}
