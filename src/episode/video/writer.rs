//! An MP4 file, picture by picture.

use std::path::{Path, PathBuf};

use super::encoder::{EncoderSettings, H264Encoder};
use super::mp4_writer::Mp4Writer;
use crate::episode::EpisodeError;

/// Writes RGB pictures of one size as an H.264 video in an MP4 file.
pub struct VideoWriter {
    path: PathBuf,
    encoder: H264Encoder,
    file: Mp4Writer,
}

impl VideoWriter {
    /// Begins a film for people to watch: pictures of `width` by `height` pixels (even numbers, 16 and more), `fps` a second.
    pub fn film(path: &Path, width: u32, height: u32, fps: f64) -> Result<Self, EpisodeError> {
        Self::create(path, width, height, fps, EncoderSettings::FILM)
    }

    /// Begins the video of a dataset's camera.
    pub(in crate::episode) fn dataset(
        path: &Path,
        width: u32,
        height: u32,
        fps: f64,
    ) -> Result<Self, EpisodeError> {
        Self::create(path, width, height, fps, EncoderSettings::DATASET)
    }

    fn create(
        path: &Path,
        width: u32,
        height: u32,
        fps: f64,
        settings: EncoderSettings,
    ) -> Result<Self, EpisodeError> {
        let encoder = H264Encoder::new(width, height, fps, settings)
            .map_err(|problem| EpisodeError::Refused { path: path.to_path_buf(), problem })?;
        let file = Mp4Writer::create(path, width, height, fps)?;
        Ok(Self { path: path.to_path_buf(), encoder, file })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds the next picture, RGB rows without padding.
    pub fn add(&mut self, rgb: &[u8]) -> Result<(), EpisodeError> {
        let picture = self.encoder.encode(rgb).map_err(|problem| {
            EpisodeError::write(&self.path, std::io::Error::other(format!("H.264: {problem}")))
        })?;
        self.file.add(&picture)
    }

    /// Ends the file; it is on the disk when this returns. One without a picture is an error.
    pub fn finish(self) -> Result<(), EpisodeError> {
        let sets = self.encoder.parameter_sets().ok_or_else(|| {
            EpisodeError::write(&self.path, std::io::Error::other("the encoder stated no parameter sets"))
        })?;
        self.file.finish(sets)
    }
}
