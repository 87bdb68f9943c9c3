//! A recorded episode as a camera.

use std::time::Duration;

use super::source_spec::DatasetSpec;
use super::{CameraError, FrameGenerator};
use crate::episode::{Dataset, VideoReader};
use crate::types::{Frame, FrameMetadata, FramePool, PixelLayout, Timestamp};

/// The pictures of one episode of a dataset, in order, at the recording's rate.
///
/// Looping, it starts over at its end while sequence numbers go on; else it ends.
#[derive(Debug)]
pub struct DatasetSource {
    reader: VideoReader,
    /// The number in the file of the episode's first frame.
    first: usize,
    length: usize,
    fps: f64,
    looping: bool,
    delivered: u64,
    description: String,
}

impl DatasetSource {
    /// Opens the dataset, its video, and finds the episode in it.
    pub fn open(spec: &DatasetSpec) -> Result<Self, CameraError> {
        let dataset = Dataset::open(&spec.folder)?;
        let clip = dataset.clip(spec.episode, spec.camera.as_deref())?;
        let (reader, first) = clip.open()?;
        let description = format!(
            "episode {} of {}, camera {}, {}x{}, {} frames at {} a second{}",
            spec.episode,
            spec.folder.display(),
            clip.camera.key,
            clip.camera.width,
            clip.camera.height,
            clip.length,
            clip.fps,
            if spec.looping { ", looping" } else { "" }
        );
        let (length, fps) = (clip.length, clip.fps);
        Ok(Self { reader, first, length, fps, looping: spec.looping, delivered: 0, description })
    }

    /// Number of frames of the episode.
    pub const fn length(&self) -> usize {
        self.length
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
        let length = self.length as u64;
        if sequence >= length && !self.looping {
            return Ok(None);
        }
        let mut pixels = pool.take(self.reader.frame_bytes());
        // The remainder is below `length`, which is a usize.
        self.reader.read_frame(self.first + (sequence % length) as usize, &mut pixels)?;
        let (width, height) = (self.reader.width(), self.reader.height());
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
