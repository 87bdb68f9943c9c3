//! The episode that is being written.

use std::path::PathBuf;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use super::rows::{Row, RowWriter};
use super::statistics::{FeatureStatistics, PictureStatistics};
use super::{DatasetOutline, NewFrame};
use crate::episode::frames::TIMESTAMP_TOLERANCE_S;
use crate::episode::video::VideoWriter;
use crate::episode::{CameraInfo, EpisodeError, PictureStorage};
use crate::types::JOINT_COUNT;

/// One camera's pictures on their way.
struct CameraTrack {
    camera: CameraInfo,
    statistics: PictureStatistics,
    /// `None` when they go into the data file.
    video: Option<VideoWriter>,
}

/// An episode that is being written; its files lie in a folder of their own.
pub(super) struct OpenEpisode {
    folder: PathBuf,
    fps: f64,
    number: usize,
    first_index: usize,
    rows: RowWriter,
    cameras: Vec<CameraTrack>,
    states: Vec<[f32; JOINT_COUNT]>,
    actions: Vec<[f32; JOINT_COUNT]>,
    timestamps: Vec<f64>,
    tasks: Vec<usize>,
}

/// An episode whose files are done, but not yet at their places.
pub(super) struct FinishedEpisode {
    pub(super) length: usize,
    pub(super) tasks: Vec<String>,
    /// The data file.
    pub(super) rows: PathBuf,
    /// Camera, file, and how long the film is, seconds.
    pub(super) videos: Vec<(String, PathBuf, f64)>,
    pub(super) statistics: Vec<(String, FeatureStatistics)>,
}

impl OpenEpisode {
    pub(super) fn begin(
        folder: PathBuf,
        outline: &DatasetOutline,
        storage: PictureStorage,
        number: usize,
        first_index: usize,
    ) -> Result<Self, EpisodeError> {
        let mut cameras = Vec::new();
        for (place, camera) in outline.cameras.iter().enumerate() {
            let video = match storage {
                PictureStorage::Images => None,
                PictureStorage::Video => {
                    let path = folder.join(format!("{place}.mp4"));
                    let video = VideoWriter::dataset(&path, camera.width, camera.height, outline.fps);
                    Some(video.map_err(|error| match error {
                        EpisodeError::Refused { path, problem } => EpisodeError::Refused {
                            path,
                            problem: format!("camera `{}`: {problem}; write images instead", camera.key),
                        },
                        other => other,
                    })?)
                }
            };
            cameras.push(CameraTrack {
                camera: camera.clone(),
                statistics: PictureStatistics::default(),
                video,
            });
        }
        let image_keys: Vec<String> = cameras
            .iter()
            .filter(|track| track.video.is_none())
            .map(|track| track.camera.key.clone())
            .collect();
        let rows = RowWriter::create(&folder.join("rows.parquet"), &image_keys)?;
        Ok(Self {
            folder,
            fps: outline.fps,
            number,
            first_index,
            rows,
            cameras,
            states: Vec::new(),
            actions: Vec::new(),
            timestamps: Vec::new(),
            tasks: Vec::new(),
        })
    }

    /// Adds a frame with the number of its task.
    pub(super) fn add(&mut self, frame: &NewFrame, task: usize) -> Result<(), EpisodeError> {
        let number = self.states.len();
        let refused =
            |problem: String| EpisodeError::BadFrame { episode: self.number, frame: number, problem };
        let expected_s = number as f64 / self.fps;
        let tolerance_s = TIMESTAMP_TOLERANCE_S + expected_s * f64::from(f32::EPSILON);
        let off_s = (frame.timestamp_s - expected_s).abs();
        if off_s.is_nan() || off_s > tolerance_s {
            return Err(refused(format!(
                "it is stamped {} s, expected {expected_s} s at {} frames a second",
                frame.timestamp_s, self.fps
            )));
        }
        if !(frame.state.is_finite() && frame.action.is_finite()) {
            return Err(refused("its state or action is not all finite numbers".to_owned()));
        }
        if frame.pictures.len() != self.cameras.len() {
            return Err(refused(format!(
                "{} pictures for {} cameras",
                frame.pictures.len(),
                self.cameras.len()
            )));
        }
        // All are judged before any is written: a refused frame leaves no trace.
        for (track, rgb) in self.cameras.iter().zip(&frame.pictures) {
            let (width, height) = (track.camera.width as usize, track.camera.height as usize);
            if rgb.len() != width * height * 3 {
                let key = &track.camera.key;
                let problem =
                    format!("the picture of `{key}` has {} bytes, expected {width}x{height} RGB", rgb.len());
                return Err(refused(problem));
            }
        }
        let mut encoded = Vec::new();
        for (track, rgb) in self.cameras.iter_mut().zip(&frame.pictures) {
            let (width, height) = (track.camera.width as usize, track.camera.height as usize);
            track.statistics.add(rgb, width, height);
            match &mut track.video {
                Some(video) => video.add(rgb)?,
                None => {
                    encoded.push(png(rgb, track.camera.width, track.camera.height).map_err(|problem| {
                        EpisodeError::BadFrame { episode: self.number, frame: number, problem }
                    })?)
                }
            }
        }
        let single = |angles: [f64; JOINT_COUNT]| angles.map(|angle| angle as f32);
        let row = Row {
            state: single(frame.state.to_array_deg()),
            action: single(frame.action.to_array_deg()),
            timestamp: frame.timestamp_s as f32,
            frame: number,
            episode: self.number,
            index: self.first_index + number,
            task,
        };
        self.rows.add(row, encoded)?;
        self.states.push(row.state);
        self.actions.push(row.action);
        self.timestamps.push(frame.timestamp_s);
        self.tasks.push(task);
        Ok(())
    }

    /// Ends all files. `tasks` are the texts by number.
    pub(super) fn finish(self, tasks: &[String]) -> Result<FinishedEpisode, EpisodeError> {
        let length = self.states.len();
        let mut statistics = vec![
            ("observation.state".to_owned(), FeatureStatistics::of_vectors(&self.states)),
            ("action".to_owned(), FeatureStatistics::of_vectors(&self.actions)),
        ];
        let mut videos = Vec::new();
        for track in self.cameras {
            statistics.push((track.camera.key.clone(), track.statistics.finish()));
            if let Some(video) = track.video {
                let path = video.path().to_path_buf();
                video.finish()?;
                videos.push((track.camera.key, path, length as f64 / self.fps));
            }
        }
        let number = self.number;
        statistics.push(("timestamp".to_owned(), FeatureStatistics::of_numbers(&self.timestamps)));
        statistics.push(("frame_index".to_owned(), FeatureStatistics::of_integers(0..length)));
        statistics.push((
            "episode_index".to_owned(),
            FeatureStatistics::of_integers(std::iter::repeat_n(number, length)),
        ));
        let first = self.first_index;
        statistics.push(("index".to_owned(), FeatureStatistics::of_integers(first..first + length)));
        statistics
            .push(("task_index".to_owned(), FeatureStatistics::of_integers(self.tasks.iter().copied())));
        self.rows.finish()?;
        let mut own_tasks: Vec<String> = Vec::new();
        for text in self.tasks.iter().filter_map(|task| tasks.get(*task)) {
            if !own_tasks.contains(text) {
                own_tasks.push(text.clone());
            }
        }
        Ok(FinishedEpisode {
            length,
            tasks: own_tasks,
            rows: self.folder.join("rows.parquet"),
            videos,
            statistics,
        })
    }
}

/// A picture as PNG: small steps of compression cost more time than they save room.
fn png(rgb: &[u8], width: u32, height: u32) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive)
        .write_image(rgb, width, height, ExtendedColorType::Rgb8)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}
