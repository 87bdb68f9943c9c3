//! Logged episodes, frame after frame.

use super::LoggedEpisode;
use super::pictures::LoggedPictures;
use crate::episode::{DatasetOutline, EpisodeError, EpisodeSource, NewFrame};

/// Episodes of run logs as the source of a dataset.
pub struct LoggedEpisodes {
    outline: DatasetOutline,
    episodes: Vec<LoggedEpisode>,
    /// Episodes that were begun.
    begun: usize,
    pictures: Option<LoggedPictures>,
    frame: usize,
}

impl LoggedEpisodes {
    pub(super) const fn new(outline: DatasetOutline, episodes: Vec<LoggedEpisode>) -> Self {
        Self { outline, episodes, begun: 0, pictures: None, frame: 0 }
    }

    /// The episodes, in their order.
    pub fn episodes(&self) -> &[LoggedEpisode] {
        &self.episodes
    }
}

impl EpisodeSource for LoggedEpisodes {
    fn outline(&self) -> &DatasetOutline {
        &self.outline
    }

    fn episode_count(&self) -> usize {
        self.episodes.len()
    }

    fn next_episode(&mut self) -> Result<bool, EpisodeError> {
        self.pictures = None;
        self.frame = 0;
        let Some(episode) = self.episodes.get(self.begun) else { return Ok(false) };
        self.begun += 1;
        self.pictures = Some(LoggedPictures::open(episode)?);
        Ok(true)
    }

    fn next_frame(&mut self, frame: &mut NewFrame) -> Result<bool, EpisodeError> {
        let (Some(pictures), Some(episode)) =
            (&mut self.pictures, self.begun.checked_sub(1).and_then(|begun| self.episodes.get(begun)))
        else {
            return Ok(false);
        };
        let Some(logged) = episode.frames.get(self.frame) else { return Ok(false) };
        frame.timestamp_s = self.frame as f64 / self.outline.fps;
        (frame.state, frame.action) = (logged.state, logged.action);
        frame.task.clone_from(&episode.task);
        let mut room = frame.pictures.iter_mut();
        let mut made = Vec::new();
        for (slot, captured) in logged.pictures.iter().enumerate() {
            let Some(captured) = captured else { continue };
            match room.next() {
                Some(rgb) => pictures.take(&episode.log, slot, *captured, rgb)?,
                None => {
                    let mut rgb = Vec::new();
                    pictures.take(&episode.log, slot, *captured, &mut rgb)?;
                    made.push(rgb);
                }
            }
        }
        frame.pictures.append(&mut made);
        self.frame += 1;
        Ok(true)
    }
}

impl std::fmt::Debug for LoggedEpisodes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("LoggedEpisodes");
        shown.field("outline", &self.outline).field("episodes", &self.episodes.len()).finish_non_exhaustive()
    }
}
