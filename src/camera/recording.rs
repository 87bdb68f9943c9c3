//! A recorded episode as a camera.

use std::time::Duration;

use super::source_spec::DatasetSpec;
use super::{CameraError, FrameGenerator};
use crate::episode::{Dataset, EpisodePictures};
use crate::types::{Frame, FrameMetadata, FramePool, PixelLayout, Timestamp};

/// The pictures of one episode of a dataset, in order, at the recording's rate.
///
/// Looping, it starts over at its end while sequence numbers go on; else it ends.
#[derive(Debug)]
pub struct DatasetSource {
    pictures: EpisodePictures,
    fps: f64,
    looping: bool,
    delivered: u64,
    description: String,
}

impl DatasetSource {
    /// Opens the dataset, its video, and finds the episode in it.
    pub fn open(spec: &DatasetSpec) -> Result<Self, CameraError> {
        let dataset = Dataset::open(&spec.folder)?;
        let pictures = dataset.pictures(spec.episode, spec.camera.as_deref())?;
        let (camera, fps) = (pictures.camera(), dataset.fps());
        let description = format!(
            "episode {} of {}, camera {}, {}x{}, {} frames at {fps} a second{}",
            spec.episode,
            spec.folder.display(),
            camera.key,
            camera.width,
            camera.height,
            pictures.length(),
            if spec.looping { ", looping" } else { "" }
        );
        Ok(Self { pictures, fps, looping: spec.looping, delivered: 0, description })
    }

    /// Number of frames of the episode.
    pub const fn length(&self) -> usize {
        self.pictures.length()
    }
}

impl FrameGenerator for DatasetSource {
    fn period(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.fps)
    }

    fn generate(
        &mut self,
        sequence: u64,
        captured: Timestamp,
        pool: &FramePool,
    ) -> Result<Option<Frame>, CameraError> {
        let length = self.pictures.length() as u64;
        if sequence >= length && !self.looping {
            return Ok(None);
        }
        let mut pixels = pool.take(self.pictures.frame_bytes());
        // The remainder is below `length`, which is a usize.
        self.pictures.read((sequence % length) as usize, &mut pixels)?;
        let (width, height) = (self.pictures.camera().width, self.pictures.camera().height);
        let metadata = FrameMetadata { id: self.delivered, sequence, captured, width, height, digest: None };
        self.delivered += 1;
        Frame::new(metadata, PixelLayout::Rgb8, pixels)
            .map(Some)
            .ok_or(CameraError::WrongSize { width, height })
    }

    fn description(&self) -> String {
        self.description.clone()
    }
}
