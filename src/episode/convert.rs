//! A dataset, or some episodes of it, as the source of a new one.

use std::num::NonZero;

use super::stream::PictureStream;
use super::write::{DatasetOutline, EpisodeSource, NewFrame};
use super::{Dataset, Episode, EpisodeError};

/// Episodes of a dataset on their way into another.
#[derive(Debug)]
pub struct DatasetEpisodes<'a> {
    dataset: &'a Dataset,
    outline: DatasetOutline,
    episodes: Vec<usize>,
    /// Episodes that were begun.
    begun: usize,
    present: Option<Present>,
}

#[derive(Debug)]
struct Present {
    episode: Episode,
    /// The task of each frame.
    tasks: Vec<String>,
    /// One a camera.
    pictures: Vec<PictureStream>,
    frame: usize,
}

impl<'a> DatasetEpisodes<'a> {
    /// The episodes with these numbers, in this order.
    pub fn new(dataset: &'a Dataset, episodes: Vec<usize>) -> Self {
        let outline = DatasetOutline {
            fps: dataset.fps(),
            robot_type: dataset.robot_type().map(str::to_owned),
            cameras: dataset.cameras().to_vec(),
        };
        Self { dataset, outline, episodes, begun: 0, present: None }
    }
}

impl EpisodeSource for DatasetEpisodes<'_> {
    fn outline(&self) -> &DatasetOutline {
        &self.outline
    }

    fn episode_count(&self) -> usize {
        self.episodes.len()
    }

    fn next_episode(&mut self) -> Result<bool, EpisodeError> {
        self.present = None;
        let Some(number) = self.episodes.get(self.begun).copied() else { return Ok(false) };
        self.begun += 1;
        let (episode, tasks) = self.dataset.episode_with_tasks(number)?;
        // Decoding shares the cores with encoding.
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let workers = (cores / self.outline.cameras.len().max(1)).clamp(1, 4);
        let pictures: Result<Vec<_>, _> = self
            .outline
            .cameras
            .iter()
            .map(|camera| PictureStream::open(self.dataset, number, Some(&camera.key), workers))
            .collect();
        self.present = Some(Present { episode, tasks, pictures: pictures?, frame: 0 });
        Ok(true)
    }

    fn next_frame(&mut self, frame: &mut NewFrame) -> Result<bool, EpisodeError> {
        let Some(present) = &mut self.present else { return Ok(false) };
        let place = present.frame;
        let (Some(state), Some(action), Some(timestamp), Some(task)) = (
            present.episode.states.get(place),
            present.episode.actions.get(place),
            present.episode.timestamps.get(place),
            present.tasks.get(place),
        ) else {
            return Ok(false);
        };
        (frame.state, frame.action, frame.timestamp_s) = (*state, *action, *timestamp);
        frame.task.clone_from(task);
        frame.pictures.resize_with(present.pictures.len(), Vec::new);
        for (stream, rgb) in present.pictures.iter_mut().zip(&mut frame.pictures) {
            if !stream.next_picture(rgb)? {
                let problem = format!("its pictures end before its {} rows", present.episode.states.len());
                return Err(EpisodeError::BadFrame { episode: present.episode.index, frame: place, problem });
            }
        }
        present.frame += 1;
        Ok(true)
    }
}
