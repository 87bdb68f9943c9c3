//! A LeRobot dataset as a folder.

use std::path::{Path, PathBuf};

use super::catalog::{self, EpisodeRecord};
use super::images::ImageReader;
use super::info::{DatasetInfo, Layout, PictureStorage};
use super::path_template;
use super::pictures::EpisodePictures;
use super::{CameraInfo, EpisodeError, VideoReader, frames, legacy, tasks};
use crate::types::DatasetAngles;

/// How far a picture's time may stand from its frame's, seconds (LeRobot's own `tolerance_s`).
pub(super) const PICTURE_TOLERANCE_S: f64 = 1e-4;

/// A LeRobot dataset of layout v2.0, v2.1 or v3.0, opened for reading.
///
/// Opening reads and checks everything under `meta/`; rows and pictures are read and checked when they are asked for.
#[derive(Clone, Debug)]
pub struct Dataset {
    folder: PathBuf,
    /// `folder`, canonical: no file outside it is read.
    root: PathBuf,
    info: DatasetInfo,
    tasks: Vec<String>,
    episodes: Vec<EpisodeRecord>,
}

/// The numbers of one episode; its pictures are a [`VideoClip`].
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// Its number in the dataset, from 0.
    pub index: usize,
    /// Frames a second.
    pub fps: f64,
    /// What the operator was asked to do: the task of the first frame.
    pub task: String,
    /// Measured pose at each frame, degrees.
    pub states: Vec<DatasetAngles>,
    /// Goal at each frame, degrees.
    pub actions: Vec<DatasetAngles>,
    /// Seconds from the episode's start, one a frame.
    pub timestamps: Vec<f64>,
}

/// One episode's stretch of one camera's video file.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoClip {
    /// The file, which may hold other episodes too.
    pub path: PathBuf,
    /// The camera.
    pub camera: CameraInfo,
    /// Where the episode begins in the file, seconds.
    pub from_timestamp_s: f64,
    /// Frames.
    pub length: usize,
    /// Frames a second.
    pub fps: f64,
}

impl Dataset {
    /// Opens the dataset in `folder` (the one that holds `meta`, `data` and `videos`).
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, EpisodeError> {
        let folder = folder.as_ref();
        let root = folder.canonicalize().map_err(|source| EpisodeError::read(folder, source))?;
        let info_path = folder.join("meta/info.json");
        let inside = |relative: &str| path_template::inside(&root, relative, &info_path);
        let info = DatasetInfo::read(&inside("meta/info.json")?)?;
        let (tasks, episodes) = match info.layout {
            Layout::SharedFiles => {
                let tasks = tasks::read(&inside("meta/tasks.parquet")?, info.total_tasks)?;
                inside("meta/episodes")?;
                (tasks, catalog::read(&root, &info)?)
            }
            Layout::EpisodeFiles => {
                let tasks = tasks::read_lines(&inside(legacy::TASKS)?, info.total_tasks)?;
                (tasks, legacy::episodes(&inside(legacy::EPISODES)?, &root, &info)?)
            }
        };
        Ok(Self { folder: folder.to_path_buf(), root, info, tasks, episodes })
    }

    /// The folder as it was given.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Frames a second.
    pub fn fps(&self) -> f64 {
        self.info.fps
    }

    /// The robot's name as the dataset states it.
    pub fn robot_type(&self) -> Option<&str> {
        self.info.robot_type.as_deref()
    }

    /// The version of the layout as the dataset states it, such as `v3.0`.
    pub fn version(&self) -> &str {
        &self.info.version
    }

    /// How the folder is laid out.
    pub fn layout(&self) -> Layout {
        self.info.layout
    }

    /// Names of the columns that this program does not read: neither joints, cameras nor frame numbers.
    pub fn other_features(&self) -> &[String] {
        &self.info.other_features
    }

    /// Splits as written: name and range, such as `train` and `0:3`.
    pub fn splits(&self) -> impl Iterator<Item = (&str, &str)> {
        self.info.splits.iter().map(|(name, range)| (name.as_str(), range.as_str()))
    }

    /// Number of episodes.
    pub fn episode_count(&self) -> usize {
        self.episodes.len()
    }

    /// Number of frames of all episodes.
    pub fn frame_count(&self) -> usize {
        self.info.total_frames
    }

    /// All task texts by number.
    pub fn tasks(&self) -> &[String] {
        &self.tasks
    }

    /// The cameras, by key.
    pub fn cameras(&self) -> &[CameraInfo] {
        &self.info.cameras
    }

    /// Reads the numbers of one episode.
    pub fn episode(&self, episode: usize) -> Result<Episode, EpisodeError> {
        Ok(self.episode_with_tasks(episode)?.0)
    }

    /// Reads the numbers of one episode, and the task of each frame.
    pub fn episode_with_tasks(&self, episode: usize) -> Result<(Episode, Vec<String>), EpisodeError> {
        let record = self.record(episode)?;
        let path = self.data_path(episode, record)?;
        let rows = frames::read(&path, episode, record, self.info.fps, self.tasks.len())?;
        let tasks: Vec<String> = rows.tasks.iter().map(|task| self.tasks[*task].clone()).collect();
        let episode = Episode {
            index: episode,
            fps: self.info.fps,
            task: tasks.first().cloned().unwrap_or_default(),
            states: rows.states,
            actions: rows.actions,
            timestamps: rows.timestamps,
        };
        Ok((episode, tasks))
    }

    /// Number of frames of one episode.
    pub fn episode_length(&self, episode: usize) -> Result<usize, EpisodeError> {
        Ok(self.record(episode)?.length)
    }

    /// The frame of an episode that was taken at `time_s` seconds from its start, at most `tolerance_s` away; `None` when there is none.
    pub fn frame_at(
        &self,
        episode: usize,
        time_s: f64,
        tolerance_s: f64,
    ) -> Result<Option<usize>, EpisodeError> {
        let length = self.record(episode)?.length;
        let nearest = (time_s * self.info.fps).round();
        if !(nearest >= 0.0 && nearest < length as f64) {
            return Ok(None);
        }
        // Between 0 and the length, as was seen above.
        let frame = nearest as usize;
        let distance_s = (frame as f64 / self.info.fps - time_s).abs();
        Ok((distance_s <= tolerance_s).then_some(frame))
    }

    /// The pictures of one episode from one camera, however they are stored. The camera is named as for [`clip`](Self::clip).
    pub fn pictures(&self, episode: usize, camera: Option<&str>) -> Result<EpisodePictures, EpisodeError> {
        let record = self.record(episode)?;
        let place = self.camera_place(camera)?;
        let camera = &self.info.cameras[place];
        match camera.storage {
            PictureStorage::Video => {
                let (reader, first) = self.clip(episode, Some(&camera.key))?.open()?;
                Ok(EpisodePictures::of_video(camera.clone(), record.length, reader, first))
            }
            PictureStorage::Images => {
                let path = self.data_path(episode, record)?;
                let reader = ImageReader::open(&path, &self.root, camera, record.data_rows.clone())?;
                Ok(EpisodePictures::of_images(camera.clone(), record.length, reader))
            }
        }
    }

    /// The video of one episode from one camera: its key in full or its last part (`front`), or `None` for the only one.
    pub fn clip(&self, episode: usize, camera: Option<&str>) -> Result<VideoClip, EpisodeError> {
        let record = self.record(episode)?;
        let place = self.camera_place(camera)?;
        let camera = &self.info.cameras[place];
        let video = record.videos[place].ok_or_else(|| {
            let info_path = self.folder.join("meta/info.json");
            EpisodeError::unfit(
                &info_path,
                format!("camera `{}` is stored as images, not as video", camera.key),
            )
        })?;
        // A dataset with videos has a video_path: DatasetInfo checks it.
        let template = self.info.video_path.as_deref().unwrap_or_default();
        Ok(VideoClip {
            path: self.path(template, &camera.key, video.file, episode)?,
            camera: camera.clone(),
            from_timestamp_s: video.from_timestamp,
            length: record.length,
            fps: self.info.fps,
        })
    }

    fn record(&self, episode: usize) -> Result<&EpisodeRecord, EpisodeError> {
        let none = || EpisodeError::NoSuchEpisode {
            dataset: self.folder.clone(),
            episode,
            count: self.episodes.len(),
        };
        self.episodes.get(episode).ok_or_else(none)
    }

    fn camera_place(&self, key: Option<&str>) -> Result<usize, EpisodeError> {
        let cameras = &self.info.cameras;
        let known = || cameras.iter().map(|camera| camera.key.as_str()).collect::<Vec<_>>().join(", ");
        let Some(key) = key else {
            return match cameras.len() {
                1 => Ok(0),
                count => {
                    Err(EpisodeError::AmbiguousCamera { dataset: self.folder.clone(), count, known: known() })
                }
            };
        };
        let by_name = |full: &str| full == key || full.rsplit('.').next() == Some(key);
        let exact = cameras.iter().position(|camera| camera.key == key);
        exact.or_else(|| cameras.iter().position(|camera| by_name(&camera.key))).ok_or_else(|| {
            EpisodeError::NoSuchCamera { dataset: self.folder.clone(), key: key.to_owned(), known: known() }
        })
    }

    fn data_path(&self, episode: usize, record: &EpisodeRecord) -> Result<PathBuf, EpisodeError> {
        self.path(&self.info.data_path, "", record.data_file, episode)
    }

    fn path(
        &self,
        template: &str,
        video_key: &str,
        file: (u64, u64),
        episode: usize,
    ) -> Result<PathBuf, EpisodeError> {
        let info_path = self.folder.join("meta/info.json");
        let fields = self.info.path_fields(video_key, file, episode);
        let relative = path_template::fill(template, &fields)
            .map_err(|problem| EpisodeError::damaged(&info_path, problem))?;
        path_template::inside(&self.root, &relative, &info_path)
    }
}

impl VideoClip {
    /// Opens the file and finds the number in it of the episode's first frame.
    ///
    /// Every frame of the episode must have its picture at its time, the first to the last without gap, and of the size that the
    /// dataset states.
    pub fn open(&self) -> Result<(VideoReader, usize), EpisodeError> {
        let reader = VideoReader::open(&self.path)?;
        let damaged = |problem: String| EpisodeError::damaged(&self.path, problem);
        let (found, stated) = ((reader.width(), reader.height()), (self.camera.width, self.camera.height));
        if found != stated {
            let ((w, h), (stated_w, stated_h)) = (found, stated);
            return Err(damaged(format!("pictures are {w}x{h}, meta/info.json says {stated_w}x{stated_h}")));
        }
        let mut first = None;
        for frame in 0..self.length {
            let time_s = self.from_timestamp_s + frame as f64 / self.fps;
            let picture = reader.frame_at(time_s, PICTURE_TOLERANCE_S);
            let expected = *first.get_or_insert(picture);
            if picture.is_none() || picture != expected.map(|first| first + frame) {
                return Err(damaged(format!(
                    "no picture at {time_s:.4} s for frame {frame} of an episode that begins at {:.4} s: it has {} at times \
                     0 to {:.4} s",
                    self.from_timestamp_s,
                    reader.frame_count(),
                    reader.last_time_s(),
                )));
            }
        }
        Ok((reader, first.flatten().unwrap_or(0)))
    }
}
