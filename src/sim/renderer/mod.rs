//! A software renderer for the cell: triangles into a z-buffer with four samples a pixel, one lamp, soft shadows.
//!
//! Everything is bounded and made once: after [`Renderer::new`] a picture allocates nothing. The same scene, pose and picture
//! number give the same bytes.

mod background;
mod blur;
mod grid;
mod mesh;
mod noise;
mod pinhole;
mod samples;
mod shading;
mod shadow;

use calibration::JointAngles;
use calibration::kinematics::ForwardKinematics;
use nalgebra::{Isometry3, Point3, Vector3};

pub use pinhole::{ImagePoint, PinholeCamera};

use super::scene::{BOX_COUNT, BoxPose, Scene};
use background::Background;
use grid::GridPoint;
use mesh::{Carrier, Mesh};
use noise::SensorNoise;
use samples::{Corner, Samples};
use shading::{Illumination, Lighting, ToneCurve};
use shadow::TableShadow;

/// Where everything that moves stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellState {
    /// The arm.
    pub angles: JointAngles,
    /// The boxes in the order of [`BoxColour::ALL`](super::scene::BoxColour::ALL).
    pub boxes: [BoxPose; BOX_COUNT],
}

/// Draws one scene at one picture size.
#[derive(Clone, Debug)]
pub struct Renderer {
    width: usize,
    height: usize,
    kinematics: ForwardKinematics,
    camera: PinholeCamera,
    lighting: Lighting,
    tone: ToneCurve,
    background: Background,
    mesh: Mesh,
    shadow: TableShadow,
    samples: Samples,
    noise: SensorNoise,
    /// Per vertex of the mesh: its corner in the picture, `None` behind the camera.
    corners: Vec<Option<Corner>>,
    /// Parts from near to far, so that little is painted over: distance and place in the mesh.
    order: Vec<(f32, usize)>,
    lamp_points: Vec<GridPoint>,
    sky_points: Vec<GridPoint>,
}

/// A surface is in shadow when something lies this much nearer to the lamp, in metres of height: cells have a size.
const SHADOW_BIAS_M: f32 = 0.005;

impl Renderer {
    /// Prepares pictures of `width` by `height` pixels (at least 1 each).
    pub fn new(scene: &Scene, width: u32, height: u32) -> Self {
        let (width, height) = (width.max(1), height.max(1));
        let camera = PinholeCamera::new(&scene.camera, width, height);
        let (width, height) = (width as usize, height as usize);
        let lighting = Lighting::new(&scene.light);
        let tone = ToneCurve::new();
        let mesh = Mesh::cell();
        Self {
            width,
            height,
            kinematics: ForwardKinematics::default(),
            background: Background::new(scene, &camera, &lighting, &tone, width, height),
            shadow: TableShadow::new(&lighting),
            samples: Samples::new(&camera, width, height),
            noise: SensorNoise::new(scene.seed, scene.noise_sigma),
            corners: vec![None; mesh.vertices.len()],
            order: (0..mesh.parts.len()).map(|part| (0.0, part)).collect(),
            lamp_points: vec![GridPoint::default(); mesh.vertices.len()],
            sky_points: vec![GridPoint::default(); mesh.vertices.len()],
            camera,
            lighting,
            tone,
            mesh,
        }
    }

    /// The camera, to know where a point of the world appears.
    pub const fn camera(&self) -> &PinholeCamera {
        &self.camera
    }

    /// Draws picture number `sequence` into `rgb`: `height * width * 3` bytes, rows from the top. A buffer of another length is
    /// left as it is and gives `false`.
    #[must_use]
    pub fn render(&mut self, state: &CellState, sequence: u64, rgb: &mut [u8]) -> bool {
        if !self.render_without_noise(state, rgb) {
            return false;
        }
        self.noise.add(sequence, rgb);
        true
    }

    /// As [`render`](Self::render), before the sensor adds its noise.
    #[must_use]
    pub fn render_without_noise(&mut self, state: &CellState, rgb: &mut [u8]) -> bool {
        let (pixels, rest) = rgb.as_chunks_mut::<3>();
        if pixels.len() != self.width * self.height || !rest.is_empty() {
            return false;
        }
        self.place(state);
        self.cast_shadows();
        pixels.copy_from_slice(&self.background.bytes);
        self.shadow.apply(&self.background, &self.camera, &self.lighting, &self.tone, self.width, pixels);
        self.draw_parts();
        self.samples.resolve(pixels);
        true
    }

    /// Moves every vertex to its place and lights it.
    fn place(&mut self, state: &CellState) {
        let links = self.kinematics.link_poses(&state.angles);
        for part in &self.mesh.parts {
            let pose: Isometry3<f32> = match part.carrier {
                Carrier::Link(link) => links.pose(link).cast(),
                Carrier::Box(index) => state.boxes[index].in_world().cast(),
            };
            let turn = pose.rotation.to_rotation_matrix();
            for index in part.vertices.clone() {
                let vertex = &self.mesh.vertices[index];
                let point = Point3::from(turn * vertex.position.coords + pose.translation.vector);
                let normal: Vector3<f32> = turn * vertex.normal;
                let lamp = self.shadow.lamp.locate(&point);
                self.lamp_points[index] = lamp;
                let mut sky = self.shadow.sky.locate(&point);
                sky.height_m = shadow::sky_nearness(point.z);
                self.sky_points[index] = sky;
                self.corners[index] = self.camera.project(&point).map(|image| {
                    let light = self.lighting.at(&point, &normal, &self.camera.eye, &part.material);
                    let near = image.inverse_depth;
                    Corner {
                        image,
                        attributes: [
                            light.sky,
                            light.lamp,
                            light.highlight,
                            light.reflection,
                            // these are affine in the world; times inverse depth they are affine in the picture
                            lamp.cell[0] * near,
                            lamp.cell[1] * near,
                            lamp.height_m * near,
                        ],
                    }
                });
            }
        }
    }

    fn cast_shadows(&mut self) {
        self.shadow.clear();
        for triangle in &self.mesh.triangles {
            let triangle = triangle.map(usize::from);
            self.shadow.lamp.raise(triangle.map(|corner| self.lamp_points[corner]));
            // from below: what counts for the sky is how low a thing hangs
            let [a, b, c] = triangle.map(|corner| self.sky_points[corner]);
            self.shadow.sky.raise([a, c, b]);
        }
        self.shadow.finish();
    }

    fn draw_parts(&mut self) {
        self.samples.clear();
        for (distance, part) in &mut self.order {
            let corners = &self.corners[self.mesh.parts[*part].vertices.clone()];
            let nearest =
                corners.iter().flatten().map(|corner| corner.image.inverse_depth).fold(0.0, f32::max);
            *distance = 1.0 / nearest;
        }
        self.order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let (lighting, tone, lamp) = (&self.lighting, &self.tone, &self.shadow.lamp);
        for &(_, part) in &self.order {
            let part = &self.mesh.parts[part];
            for triangle in &self.mesh.triangles[part.triangles.clone()] {
                let [a, b, c] = triangle.map(|corner| &self.corners[usize::from(corner)]);
                let (Some(a), Some(b), Some(c)) = (a, b, c) else { continue };
                self.samples.draw([a, b, c], |attributes, inverse_depth| {
                    let &[sky, lamp_light, highlight, reflection, cell_x, cell_y, height] = attributes;
                    let light = Illumination { sky, lamp: lamp_light, highlight, reflection };
                    let visibility = if lamp_light > 0.0 {
                        let depth = 1.0 / inverse_depth;
                        lamp.visibility([cell_x * depth, cell_y * depth], height * depth, SHADOW_BIAS_M)
                    } else {
                        0.0
                    };
                    tone.bytes(lighting.colour(&part.material, &light, visibility))
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
