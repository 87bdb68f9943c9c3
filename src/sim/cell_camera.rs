//! The camera that looks at the simulated cell.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::renderer::{CellState, Renderer};
use super::scene::Scene;
use crate::camera::{CameraError, FrameGenerator};
use crate::types::{Frame, FrameMetadata, FramePool, PixelLayout, Timestamp};

/// Options of a [`CellCamera`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellOptions {
    /// Seed of the scene and of the sensor noise. Default 0.
    pub seed: u64,
    /// Width of the picture in pixels. Default 640.
    pub width: u32,
    /// Height of the picture in pixels. Default 480.
    pub height: u32,
    /// Time between frames. Default 1/30 s.
    pub period: Duration,
}

impl Default for CellOptions {
    fn default() -> Self {
        Self { seed: 0, width: 640, height: 480, period: Duration::from_nanos(33_333_333) }
    }
}

/// Where the camera learns how arm and boxes stand, at the moment of each picture.
pub type StateReader = Arc<dyn Fn() -> CellState + Send + Sync>;

/// Pictures of the simulated cell. The same options, state and picture number give the same bytes.
pub struct CellCamera {
    options: CellOptions,
    scene: Scene,
    renderer: Renderer,
    state: StateReader,
    delivered: u64,
}

impl CellCamera {
    /// A camera on the cell of the options' seed, with arm and boxes where `state` says.
    pub fn new(options: CellOptions, state: StateReader) -> Self {
        let options = CellOptions { width: options.width.max(1), height: options.height.max(1), ..options };
        let scene = Scene::from_seed(options.seed);
        let renderer = Renderer::new(&scene, options.width, options.height);
        Self { options, scene, renderer, state, delivered: 0 }
    }

    /// What stands in the cell.
    pub const fn scene(&self) -> &Scene {
        &self.scene
    }
}

impl fmt::Debug for CellCamera {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CellCamera").field("options", &self.options).finish_non_exhaustive()
    }
}

impl FrameGenerator for CellCamera {
    fn period(&self) -> Duration {
        self.options.period
    }

    fn generate(
        &mut self,
        sequence: u64,
        captured: Timestamp,
        pool: &FramePool,
    ) -> Result<Option<Frame>, CameraError> {
        let CellOptions { width, height, .. } = self.options;
        let mut pixels = pool.take(width as usize * height as usize * 3);
        let drawn = self.renderer.render(&(self.state)(), sequence, &mut pixels);
        // Sequence numbers begin anew when the camera starts over; a frame's own number never comes again.
        let metadata = FrameMetadata { id: self.delivered, sequence, captured, width, height, digest: None };
        self.delivered += 1;
        // both hold for a buffer of this length
        Ok(drawn.then(|| Frame::new(metadata, PixelLayout::Rgb8, pixels)).flatten())
    }

    fn description(&self) -> String {
        let CellOptions { seed, width, height, period } = self.options;
        let rate = 1.0 / period.as_secs_f64().max(1e-6);
        format!("simulated cell (seed {seed}), {width}x{height} at {rate:.0} fps")
    }
}

#[cfg(test)]
mod tests {
    use calibration::{DatasetAngles, JointAngles};

    use super::*;
    use crate::sim::ArmPose;

    fn camera(seed: u64, pose: &ArmPose) -> CellCamera {
        let pose = pose.clone();
        let options = CellOptions { seed, width: 160, height: 120, ..CellOptions::default() };
        let boxes = Scene::from_seed(seed).boxes;
        CellCamera::new(options, Arc::new(move || CellState { angles: pose.get(), boxes }))
    }

    fn picture(camera: &mut CellCamera, sequence: u64) -> Vec<u8> {
        let pool = FramePool::new(1);
        let frame = camera.generate(sequence, Timestamp::from_nanos(5), &pool).unwrap().unwrap();
        assert_eq!((frame.metadata.sequence, frame.metadata.captured), (sequence, Timestamp::from_nanos(5)));
        frame.picture().bytes.to_vec()
    }

    #[test]
    fn the_same_seed_pose_and_number_give_the_same_bytes() {
        let pose = ArmPose::new(DatasetAngles::from_array_deg([0.0, 20.0, 95.0, 50.0, 0.0, 30.0]).into());
        let (mut first, mut second) = (camera(4, &pose), camera(4, &pose));
        let still = picture(&mut first, 9);
        // what was drawn before leaves no trace
        let elsewhere = DatasetAngles::from_array_deg([60.0, -10.0, 120.0, -30.0, 80.0, 60.0]).into();
        let here = pose.get();
        pose.set(elsewhere);
        let moved = picture(&mut second, 3);
        pose.set(here);
        assert_eq!(still, picture(&mut second, 9));
        assert!(
            still != moved && still != picture(&mut first, 10) && still != picture(&mut camera(5, &pose), 9)
        );
    }

    #[test]
    fn no_two_pictures_have_the_same_number() {
        let mut camera = camera(1, &ArmPose::new(JointAngles::ZERO));
        let pool = FramePool::new(1);
        // The sequence begins anew when the policy takes charge.
        let ids = [0, 1, 2, 0, 1]
            .map(|sequence| camera.generate(sequence, Timestamp::ZERO, &pool).unwrap().unwrap().metadata.id);
        assert_eq!(ids, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn the_default_is_30_frames_a_second() {
        let boxes = Scene::from_seed(0).boxes;
        let state = move || CellState { angles: JointAngles::ZERO, boxes };
        let camera = CellCamera::new(CellOptions::default(), Arc::new(state));
        assert_eq!(camera.period().as_micros(), 33_333);
        assert_eq!(camera.description(), "simulated cell (seed 0), 640x480 at 30 fps");
    }
}
