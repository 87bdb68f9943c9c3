//! The pictures of one episode from one camera, however they are stored.

use std::fmt;

use super::images::ImageReader;
use super::{CameraInfo, EpisodeError, VideoReader};

/// The pictures of one episode from one camera, read by frame.
///
/// In order each is decoded once. In any other order a video is decoded from the keyframe before, unless
/// [`keep_decoded`](Self::keep_decoded) allows memory for what was decoded on the way.
#[derive(Debug)]
pub struct EpisodePictures {
    camera: CameraInfo,
    length: usize,
    source: Source,
}

enum Source {
    /// `first` is the number in the file of the episode's first frame.
    Video {
        reader: Box<VideoReader>,
        first: usize,
    },
    Images(Box<ImageReader>),
}

impl EpisodePictures {
    pub(super) fn of_video(camera: CameraInfo, length: usize, reader: VideoReader, first: usize) -> Self {
        Self { camera, length, source: Source::Video { reader: Box::new(reader), first } }
    }

    pub(super) fn of_images(camera: CameraInfo, length: usize, reader: ImageReader) -> Self {
        Self { camera, length, source: Source::Images(Box::new(reader)) }
    }

    /// The camera.
    pub const fn camera(&self) -> &CameraInfo {
        &self.camera
    }

    /// Number of frames.
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Bytes of one frame as RGB: `width * height * 3`.
    pub const fn frame_bytes(&self) -> usize {
        self.camera.width as usize * self.camera.height as usize * 3
    }

    /// Reads one frame as RGB rows without padding, [`frame_bytes`](Self::frame_bytes) long.
    pub fn read(&mut self, frame: usize, rgb: &mut [u8]) -> Result<(), EpisodeError> {
        match &mut self.source {
            Source::Video { reader, .. } if frame >= self.length => {
                let path = reader.path().to_path_buf();
                Err(EpisodeError::NoSuchFrame { path, frame, count: self.length })
            }
            Source::Video { reader, first } => reader.read_frame(*first + frame, rgb),
            Source::Images(reader) => reader.read(frame, rgb),
        }
    }

    /// Allows so many bytes of memory for reading in any order: a video keeps pictures that were decoded, so that reading near frames
    /// again is a copy; of images all encoded ones are kept, when they fit.
    pub fn keep_decoded(&mut self, bytes: usize) {
        match &mut self.source {
            Source::Video { reader, .. } => reader.keep_decoded(bytes),
            Source::Images(reader) => reader.keep_encoded(bytes),
        }
    }

    /// Whether a second reader may begin at this frame at no cost.
    pub fn starts_at(&self, frame: usize) -> bool {
        match &self.source {
            Source::Video { reader, first } => reader.is_keyframe(*first + frame),
            // Every picture stands alone, but finding a row begins at the file's row group: one reader goes through it best.
            Source::Images(_) => frame == 0,
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Video { .. } => "Video",
            Self::Images(_) => "Images",
        })
    }
}
