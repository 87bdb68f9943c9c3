//! The cell camera's picture, reduced to what the demo policy's first operation makes of it.

use calibration::JointAngles;

use crate::sim::renderer::{CellState, PinholeCamera, Renderer};
use crate::sim::scene::{BOX_COUNT, BoxPose, Scene};

/// Size of the reduced picture, pixels.
pub const PICTURE_WIDTH: u32 = 128;
/// See [`PICTURE_WIDTH`].
pub const PICTURE_HEIGHT: u32 = 96;
/// Pictures are drawn so many times larger, and averaged.
const OVERSAMPLING: u32 = 2;

/// Draws reduced pictures of one scene: a quarter of the work of a full one.
pub struct SmallCamera {
    renderer: Renderer,
    camera: PinholeCamera,
    large: Vec<u8>,
}

impl SmallCamera {
    /// The camera of a scene.
    pub fn new(scene: &Scene) -> Self {
        let (width, height) = (PICTURE_WIDTH * OVERSAMPLING, PICTURE_HEIGHT * OVERSAMPLING);
        Self {
            renderer: Renderer::new(scene, width, height),
            camera: PinholeCamera::new(&scene.camera, PICTURE_WIDTH, PICTURE_HEIGHT),
            large: vec![0; width as usize * height as usize * 3],
        }
    }

    /// Projects to pixels of the reduced picture.
    pub const fn camera(&self) -> &PinholeCamera {
        &self.camera
    }

    /// The reduced picture, RGB rows from above.
    pub fn picture(&mut self, angles: &JointAngles, boxes: &[BoxPose; BOX_COUNT], sequence: u64) -> Vec<u8> {
        let state = CellState { angles: *angles, boxes: *boxes };
        // the buffer was made for this renderer
        let _drawn = self.renderer.render(&state, sequence, &mut self.large);
        reduce(&self.large, (PICTURE_WIDTH * OVERSAMPLING) as usize, OVERSAMPLING as usize)
    }
}

/// Averages squares of `by` pixels of an RGB picture that is `width` pixels wide.
pub fn reduce(rgb: &[u8], width: usize, by: usize) -> Vec<u8> {
    let rows = rgb.len() / 3 / width / by;
    let columns = width / by;
    let mut reduced = Vec::with_capacity(rows * columns * 3);
    let count = (by * by) as u32;
    for row in 0..rows {
        for column in 0..columns {
            for channel in 0..3 {
                let mut sum = 0;
                for y in row * by..(row + 1) * by {
                    for x in column * by..(column + 1) * by {
                        sum += u32::from(rgb[(y * width + x) * 3 + channel]);
                    }
                }
                reduced.push(((sum + count / 2) / count) as u8);
            }
        }
    }
    reduced
}
