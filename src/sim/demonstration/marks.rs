//! Where things are in the picture: known here, to be found by the policy.

use calibration::kinematics::BASE_HEIGHT_M;
use nalgebra::Point3;

use crate::sim::renderer::PinholeCamera;
use crate::sim::scene::{BOX_COUNT, BoxColour, BoxPose};

/// Points of the picture (x from the left, y from above, in pixels of the reduced picture), for training only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Marks {
    /// The centre of the instruction's box.
    pub target_px: [f32; 2],
    /// The centre of the other box.
    pub other_px: [f32; 2],
    /// The tool centre point.
    pub tool_px: [f32; 2],
    /// Where the arm's base axis meets the top of its base plate: it tells how the camera stands.
    pub base_px: [f32; 2],
}

impl Marks {
    pub(super) fn of(
        camera: &PinholeCamera,
        boxes: &[BoxPose; BOX_COUNT],
        colour: BoxColour,
        tool_m: &Point3<f64>,
    ) -> Self {
        // behind the camera nothing is seen; nothing of the cell is there
        let at = |point: Point3<f64>| {
            camera.project(&point.cast()).map_or([-1.0; 2], |image| [image.x_px, image.y_px])
        };
        let centre = |colour: BoxColour| at(Point3::from(boxes[colour.index()].centre_m));
        Self {
            target_px: centre(colour),
            other_px: centre(colour.other()),
            tool_px: at(*tool_m),
            base_px: at(Point3::new(0.0, 0.0, BASE_HEIGHT_M)),
        }
    }
}
