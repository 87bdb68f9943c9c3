//! What a dataset is written from.

use crate::episode::{CameraInfo, EpisodeError};
use crate::types::DatasetAngles;

/// What all episodes of a new dataset have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct DatasetOutline {
    /// Frames a second.
    pub fps: f64,
    /// The robot's name, as LeRobot's `robot_type`.
    pub robot_type: Option<String>,
    /// The cameras, by key. How their pictures were stored says nothing of how they will be.
    pub cameras: Vec<CameraInfo>,
}

/// One frame on its way into a dataset. Sources fill it anew for each frame, so that its memory is used again.
#[derive(Clone, Debug, Default)]
pub struct NewFrame {
    /// Seconds from the episode's start: frame number / fps, within 0.1 ms, as LeRobot demands.
    pub timestamp_s: f64,
    /// The measured pose, degrees.
    pub state: DatasetAngles,
    /// The goal, degrees.
    pub action: DatasetAngles,
    /// What the operator was asked to do.
    pub task: String,
    /// One picture for each camera of the outline, in its order: RGB rows without padding.
    pub pictures: Vec<Vec<u8>>,
}

/// Episodes, one after another, each frame after frame.
///
/// Whatever can do this can be exported as a LeRobot dataset ([`write_dataset`](super::write_dataset)): another dataset, a run log.
pub trait EpisodeSource {
    /// What all episodes have in common.
    fn outline(&self) -> &DatasetOutline;

    /// How many episodes there will be, for progress.
    fn episode_count(&self) -> usize;

    /// Goes to the next episode (at first, to the first). `false` after the last one.
    fn next_episode(&mut self) -> Result<bool, EpisodeError>;

    /// Fills in the next frame of the present episode. `false` at its end.
    fn next_frame(&mut self, frame: &mut NewFrame) -> Result<bool, EpisodeError>;
}
