//! World to picture.

use nalgebra::{Point3, Vector3};

use crate::sim::scene::CameraPose;

/// A pinhole camera without distortion; pixel (0, 0) is the upper left corner of the picture.
#[derive(Clone, Copy, Debug)]
pub struct PinholeCamera {
    pub(super) eye: Point3<f32>,
    pub(super) right: Vector3<f32>,
    pub(super) up: Vector3<f32>,
    pub(super) forward: Vector3<f32>,
    pub(super) focal_px: f32,
    pub(super) centre_px: [f32; 2],
}

/// A point in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImagePoint {
    /// Pixels from the left edge.
    pub x_px: f32,
    /// Pixels from the upper edge.
    pub y_px: f32,
    /// One over the distance along the optical axis, 1/m.
    pub inverse_depth: f32,
}

/// What lies nearer than this is not drawn, metres.
const NEAR_M: f32 = 0.02;

impl PinholeCamera {
    /// The camera of a scene for pictures of the given size in pixels.
    pub fn new(pose: &CameraPose, width: u32, height: u32) -> Self {
        let eye = Point3::from(pose.eye_m);
        let forward = (Point3::from(pose.target_m) - eye).normalize();
        let right = forward.cross(&Vector3::z()).normalize();
        let (width, height) = (f64::from(width), f64::from(height));
        Self {
            eye: eye.cast(),
            right: right.cast(),
            up: right.cross(&forward).cast(),
            forward: forward.cast(),
            focal_px: (height / 2.0 / (pose.vertical_view_rad / 2.0).tan()) as f32,
            centre_px: [(width / 2.0) as f32, (height / 2.0) as f32],
        }
    }

    /// Where a point of the world (metres) appears; `None` behind the camera.
    pub fn project(&self, point: &Point3<f32>) -> Option<ImagePoint> {
        let offset = point - self.eye;
        let depth = offset.dot(&self.forward);
        (depth > NEAR_M).then(|| ImagePoint {
            x_px: self.centre_px[0] + self.focal_px * offset.dot(&self.right) / depth,
            y_px: self.centre_px[1] - self.focal_px * offset.dot(&self.up) / depth,
            inverse_depth: 1.0 / depth,
        })
    }

    /// Direction of the ray through a point of the picture; its component along the optical axis is 1.
    pub(super) fn ray(&self, x_px: f32, y_px: f32) -> Vector3<f32> {
        self.forward
            + self.right * ((x_px - self.centre_px[0]) / self.focal_px)
            + self.up * ((self.centre_px[1] - y_px) / self.focal_px)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::scene::Scene;

    #[test]
    fn the_target_is_in_the_middle_and_rays_undo_projection() {
        let pose = Scene::from_seed(3).camera;
        let camera = PinholeCamera::new(&pose, 640, 480);
        let target = camera.project(&Point3::from(pose.target_m).cast()).unwrap();
        assert!((target.x_px - 320.0).abs() < 1e-2 && (target.y_px - 240.0).abs() < 1e-2, "{target:?}");

        let point = Point3::new(0.3, -0.1, 0.05);
        let image = camera.project(&point).unwrap();
        let back = camera.eye + camera.ray(image.x_px, image.y_px) / image.inverse_depth;
        assert!((back - point).norm() < 1e-5, "{back}");
    }

    #[test]
    fn left_of_the_arm_is_right_of_up_is_up() {
        let camera = PinholeCamera::new(&Scene::from_seed(3).camera, 640, 480);
        let at = |x, y, z| camera.project(&Point3::new(x, y, z)).unwrap();
        assert!(at(0.2, 0.0, 0.3).y_px < at(0.2, 0.0, 0.0).y_px, "up in the world is up in the picture");
        assert!(at(0.2, 0.2, 0.0).x_px > at(0.2, -0.2, 0.0).x_px, "the arm's left is the picture's right");
        assert!(camera.project(&Point3::new(1.5, -1.0, 0.46)).is_none(), "behind the camera");
    }
}
