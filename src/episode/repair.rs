//! What is sound of a damaged dataset, as the source of a new one.

use std::num::NonZero;
use std::path::Path;

use super::check::{self, CheckOptions, CheckReport, CheckStep, Mending, Survey};
use super::columns::Table;
use super::images::ImageReader;
use super::info::PictureStorage;
use super::pictures::EpisodePictures;
use super::stream::PictureStream;
use super::write::{DatasetOutline, EpisodeSource, NewFrame};
use super::{CameraInfo, EpisodeError};
use crate::types::DatasetAngles;

/// The sound episodes of a dataset, found by a check.
///
/// Nothing of what the check finds wrong is carried over: broken episodes are left out, numbers, counts and statistics are made anew.
#[derive(Debug)]
pub struct Repair {
    report: CheckReport,
    survey: Survey,
    /// Places in the survey's list.
    kept: Vec<usize>,
}

impl Repair {
    /// Checks the dataset in `folder`.
    ///
    /// Fails when `meta/info.json` says too little, or nothing sound is left.
    pub fn plan(
        folder: impl AsRef<Path>,
        options: CheckOptions,
        progress: &mut dyn FnMut(&CheckStep<'_>),
    ) -> Result<Self, EpisodeError> {
        let folder = folder.as_ref();
        let (report, survey) = check::survey(folder, options, progress)?;
        let by_hand = report.problems.iter().find(|problem| problem.kind.mending() == Mending::ByHand);
        let Some(survey) = survey.filter(|_| by_hand.is_none()) else {
            let problem = by_hand.or(report.problems.first());
            let problem = problem.map_or_else(String::new, |problem| {
                format!("{}: {}; {}", problem.file.display(), problem.problem, problem.fix)
            });
            return Err(EpisodeError::damaged(&folder.join("meta/info.json"), problem));
        };
        let broken = report.broken_episodes();
        let sound = |place: &usize| {
            let episode = &survey.episodes[*place];
            episode.rows.is_some() && !broken.contains(&episode.number)
        };
        let kept: Vec<usize> = (0..survey.episodes.len()).filter(sound).collect();
        if kept.is_empty() {
            return Err(EpisodeError::damaged(folder, "none of its episodes is sound".to_owned()));
        }
        Ok(Self { report, survey, kept })
    }

    /// What the check found.
    pub const fn report(&self) -> &CheckReport {
        &self.report
    }

    /// The numbers of the episodes that are kept.
    pub fn kept(&self) -> Vec<usize> {
        self.kept.iter().map(|place| self.survey.episodes[*place].number).collect()
    }

    /// The numbers of the episodes that are left out.
    pub fn dropped(&self) -> Vec<usize> {
        let kept = self.kept();
        self.survey
            .episodes
            .iter()
            .map(|episode| episode.number)
            .filter(|number| !kept.contains(number))
            .collect()
    }

    /// Frames of the episodes that are kept.
    pub fn frames(&self) -> usize {
        self.kept.iter().fold(0, |sum, place| sum.saturating_add(self.survey.episodes[*place].length))
    }

    /// How the pictures are stored: as video where any camera's are.
    pub fn storage(&self) -> PictureStorage {
        storage_of(&self.survey.info.cameras)
    }

    /// The sound episodes.
    pub fn source(&self) -> impl EpisodeSource {
        let info = &self.survey.info;
        let outline = DatasetOutline {
            fps: info.fps,
            robot_type: info.robot_type.clone(),
            cameras: info.cameras.clone(),
        };
        SoundEpisodes { repair: self, outline, begun: 0, present: None }
    }

    fn pictures(&self, place: usize, camera: usize) -> Result<EpisodePictures, EpisodeError> {
        let episode = &self.survey.episodes[place];
        let info = &self.survey.info.cameras[camera];
        if let Some(clip) = self.survey.clip(episode, camera) {
            let (reader, first) = clip?.open()?;
            return Ok(EpisodePictures::of_video(info.clone(), episode.length, reader, first));
        }
        let rows = self.rows(place)?;
        let reader = ImageReader::open(&rows.path, &self.survey.root, info, rows.rows.clone())?;
        Ok(EpisodePictures::of_images(info.clone(), episode.length, reader))
    }

    fn rows(&self, place: usize) -> Result<&check::FoundRows, EpisodeError> {
        let missing = || EpisodeError::Missing { path: self.survey.root.join("data") };
        self.survey.episodes[place].rows.as_ref().ok_or_else(missing)
    }
}

/// Video where any camera's pictures are stored so.
pub fn storage_of(cameras: &[CameraInfo]) -> PictureStorage {
    let video = |camera: &CameraInfo| camera.storage == PictureStorage::Video;
    if cameras.is_empty() || cameras.iter().any(video) {
        PictureStorage::Video
    } else {
        PictureStorage::Images
    }
}

struct SoundEpisodes<'a> {
    repair: &'a Repair,
    outline: DatasetOutline,
    begun: usize,
    present: Option<Present>,
}

struct Present {
    states: Vec<[f64; 6]>,
    actions: Vec<[f64; 6]>,
    tasks: Vec<String>,
    pictures: Vec<PictureStream>,
    frame: usize,
}

impl EpisodeSource for SoundEpisodes<'_> {
    fn outline(&self) -> &DatasetOutline {
        &self.outline
    }

    fn episode_count(&self) -> usize {
        self.repair.kept.len()
    }

    fn next_episode(&mut self) -> Result<bool, EpisodeError> {
        self.present = None;
        let Some(place) = self.repair.kept.get(self.begun).copied() else { return Ok(false) };
        self.begun += 1;
        let (repair, survey) = (self.repair, &self.repair.survey);
        let rows = repair.rows(place)?;
        let wanted = ["observation.state", "action", "task_index"];
        let table = Table::read(&rows.path, |name| wanted.contains(&name), Some(rows.rows.clone()))?;
        let listed = &survey.episodes[place].tasks;
        let text = |task: usize| match survey.tasks.get(task) {
            Some(Some(text)) => text.clone(),
            // The list of tasks is gone, but the list of episodes names them too.
            _ => listed.get(task.min(listed.len().saturating_sub(1))).cloned().unwrap_or_default(),
        };
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let workers = (cores / self.outline.cameras.len().max(1)).clamp(1, 4);
        let mut pictures = Vec::new();
        for camera in 0..self.outline.cameras.len() {
            let opened: Result<Vec<_>, _> = (0..workers).map(|_| repair.pictures(place, camera)).collect();
            pictures.push(PictureStream::over(opened?));
        }
        self.present = Some(Present {
            states: table.joint_vectors("observation.state")?,
            actions: table.joint_vectors("action")?,
            tasks: table.indices("task_index")?.into_iter().map(text).collect(),
            pictures,
            frame: 0,
        });
        Ok(true)
    }

    fn next_frame(&mut self, frame: &mut NewFrame) -> Result<bool, EpisodeError> {
        let Some(present) = &mut self.present else { return Ok(false) };
        let place = present.frame;
        let (Some(state), Some(action), Some(task)) =
            (present.states.get(place), present.actions.get(place), present.tasks.get(place))
        else {
            return Ok(false);
        };
        frame.state = DatasetAngles::from_array_deg(*state);
        frame.action = DatasetAngles::from_array_deg(*action);
        frame.timestamp_s = place as f64 / self.outline.fps;
        frame.task.clone_from(task);
        frame.pictures.resize_with(present.pictures.len(), Vec::new);
        for (stream, rgb) in present.pictures.iter_mut().zip(&mut frame.pictures) {
            if !stream.next_picture(rgb)? {
                let problem = "its pictures end before its rows".to_owned();
                return Err(EpisodeError::BadFrame { episode: self.begun - 1, frame: place, problem });
            }
        }
        present.frame += 1;
        Ok(true)
    }
}
