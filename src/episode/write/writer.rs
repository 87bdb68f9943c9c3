//! Writes a dataset episode by episode.

use std::path::{Path, PathBuf};

use super::commit;
use super::documents::{self, CHUNKS_SIZE, Totals};
use super::lists::{self, ClosedEpisode};
use super::open_episode::OpenEpisode;
use super::statistics::FeatureStatistics;
use super::{DatasetOutline, NewFrame};
use crate::episode::{EpisodeError, PictureStorage};

/// Where an episode is made before it is closed.
const UNFINISHED: &str = ".unfinished";

/// Where the next state of `meta` is made.
const NEXT_META: &str = ".next-meta";

/// A LeRobot dataset of layout v3.0 while it is written.
///
/// An episode is visible only once it is closed, and from then on it is on the disk: [`close_episode`](Self::close_episode) returns
/// when its files, the lists, the counts and the statistics are, all of them at one moment. A program or machine that dies leaves
/// the episodes closed so far.
///
/// Each episode has a data file and videos of its own, so that a closed one is never touched again.
pub struct DatasetWriter {
    folder: PathBuf,
    outline: DatasetOutline,
    storage: PictureStorage,
    tasks: Vec<String>,
    closed: Vec<ClosedEpisode>,
    /// Of all closed episodes together.
    statistics: Vec<(String, FeatureStatistics)>,
    open: Option<OpenEpisode>,
}

impl DatasetWriter {
    /// Begins a dataset in a folder that does not exist yet, or is empty.
    pub fn create(
        folder: impl AsRef<Path>,
        outline: DatasetOutline,
        storage: PictureStorage,
    ) -> Result<Self, EpisodeError> {
        let folder = folder.as_ref().to_path_buf();
        let refused = |problem: String| EpisodeError::Refused { path: folder.clone(), problem };
        if !(outline.fps.is_finite() && outline.fps > 0.0 && outline.fps <= 1000.0) {
            return Err(refused(format!("{} frames a second", outline.fps)));
        }
        if let Some(camera) =
            outline.cameras.iter().find(|camera| camera.key.contains('/') || camera.key.is_empty())
        {
            return Err(refused(format!("the camera's name `{}` is no name of a folder", camera.key)));
        }
        match folder.read_dir() {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(refused("something is in it already: name a new folder".to_owned()));
                }
            }
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
                commit::make_folder(&folder)?;
                commit::sync_parent(&folder)?;
            }
            Err(source) => return Err(EpisodeError::write(&folder, source)),
        }
        Ok(Self {
            folder,
            outline,
            storage,
            tasks: Vec::new(),
            closed: Vec::new(),
            statistics: Vec::new(),
            open: None,
        })
    }

    /// What all episodes have in common.
    pub const fn outline(&self) -> &DatasetOutline {
        &self.outline
    }

    /// Episodes closed so far.
    pub fn episode_count(&self) -> usize {
        self.closed.len()
    }

    /// Frames of the episodes closed so far.
    pub fn frame_count(&self) -> usize {
        self.closed.iter().map(|episode| episode.length).sum()
    }

    /// Adds a frame to the open episode; the first one opens it.
    ///
    /// A frame that is refused ([`EpisodeError::BadFrame`]) leaves the episode as it was; any other error discards it.
    pub fn add_frame(&mut self, frame: &NewFrame) -> Result<(), EpisodeError> {
        let (number, first_index) = (self.closed.len(), self.frame_count());
        let open = match &mut self.open {
            Some(open) => open,
            None => {
                let work = self.folder.join(UNFINISHED);
                commit::clear(&work)?;
                commit::make_folder(&work)?;
                self.open.insert(OpenEpisode::begin(work, &self.outline, self.storage, number, first_index)?)
            }
        };
        let task = match self.tasks.iter().position(|task| *task == frame.task) {
            Some(task) => task,
            None => {
                self.tasks.push(frame.task.clone());
                self.tasks.len() - 1
            }
        };
        let added = open.add(frame, task);
        if added.as_ref().is_err_and(|error| !matches!(error, EpisodeError::BadFrame { .. })) {
            // Some of its files may have the frame and others not.
            self.discard_episode()?;
        }
        added
    }

    /// Forgets the open episode.
    pub fn discard_episode(&mut self) -> Result<(), EpisodeError> {
        self.open = None;
        commit::clear(&self.folder.join(UNFINISHED))
    }

    /// Closes the open episode: it is in the dataset and on the disk when this returns.
    pub fn close_episode(&mut self) -> Result<(), EpisodeError> {
        let Some(open) = self.open.take() else {
            let problem = "an episode without frames cannot be closed".to_owned();
            return Err(EpisodeError::Refused { path: self.folder.clone(), problem });
        };
        let number = self.closed.len();
        let file = (number / CHUNKS_SIZE, number % CHUNKS_SIZE);
        let finished = open.finish(&self.tasks)?;
        let place = |folder: String, extension: &str| {
            self.folder
                .join(folder)
                .join(format!("chunk-{:03}", file.0))
                .join(format!("file-{:03}.{extension}", file.1))
        };
        let rows = (finished.rows, place("data".to_owned(), "parquet"));
        let videos = finished
            .videos
            .iter()
            .map(|(key, made, _)| (made.clone(), place(format!("videos/{key}"), "mp4")));
        for (made, to) in videos.chain([rows]) {
            if let Some(parent) = to.parent() {
                commit::make_folder(parent)?;
            }
            commit::move_into_place(&made, &to)?;
            // The folders may be new in theirs.
            let mut above = to.ancestors().skip(2).take_while(|above| above.starts_with(&self.folder));
            above.try_for_each(commit::sync_folder)?;
        }
        for (name, statistics) in &finished.statistics {
            match self.statistics.iter_mut().find(|(known, _)| known == name) {
                Some((_, all)) => all.join(statistics),
                None => self.statistics.push((name.clone(), statistics.clone())),
            }
        }
        self.closed.push(ClosedEpisode {
            length: finished.length,
            first_index: self.frame_count(),
            tasks: finished.tasks,
            file,
            videos: finished.videos.into_iter().map(|(key, _, duration_s)| (key, duration_s)).collect(),
            statistics: finished.statistics,
        });
        self.write_meta()?;
        commit::clear(&self.folder.join(UNFINISHED))
    }

    fn write_meta(&self) -> Result<(), EpisodeError> {
        let next = self.folder.join(NEXT_META);
        commit::clear(&next)?;
        let episodes = next.join("episodes/chunk-000");
        commit::make_folder(&episodes)?;
        // Tasks that only a discarded episode had are no tasks of this dataset, but their numbers are taken.
        let totals =
            Totals { episodes: self.closed.len(), frames: self.frame_count(), tasks: self.tasks.len() };
        lists::write_episodes(&episodes.join("file-000.parquet"), &self.closed)?;
        lists::write_tasks(&next.join("tasks.parquet"), &self.tasks)?;
        documents::write(&next.join("stats.json"), &documents::statistics(&self.statistics))?;
        documents::write(&next.join("info.json"), &documents::info(&self.outline, self.storage, totals))?;
        for folder in [episodes.as_path(), &next.join("episodes"), &next] {
            commit::sync_folder(folder)?;
        }
        commit::exchange_folder(&next, &self.folder.join("meta"))
    }
}

impl Drop for DatasetWriter {
    fn drop(&mut self) {
        // What was not closed is nobody's; a file that stays behind is harmless.
        let _left_behind = self.discard_episode();
    }
}
