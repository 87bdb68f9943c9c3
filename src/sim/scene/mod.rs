//! What stands in the cell, all of it drawn from one seed.
//!
//! World frame: on the table under the base, x forward, y left, z up, metres (`calibration::kinematics`).

mod arm_shapes;
mod placement;
mod shape;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use arm_shapes::{ARM_SHAPES, ArmShape, FIXED_JAW, MOVING_JAW, PALM};
pub use placement::{BOX_HALF_SIZE_M, BoxPose};
pub use shape::{Axis, Material, Shape};

use shape::{RED_PAINT, WHITE_PAINT};

/// Boxes in the cell.
pub const BOX_COUNT: usize = 2;

/// Colour of a box, the word of the instruction that means it. Also its place in every list of boxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BoxColour {
    /// "the white box"
    White,
    /// "the red box"
    Red,
}

impl BoxColour {
    /// Both, in the order of every list of boxes.
    pub const ALL: [Self; BOX_COUNT] = [Self::White, Self::Red];

    /// Its place in every list of boxes.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::White => Self::Red,
            Self::Red => Self::White,
        }
    }

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::White => "white",
            Self::Red => "red",
        }
    }

    /// Its paint.
    pub const fn material(self) -> Material {
        match self {
            Self::White => WHITE_PAINT,
            Self::Red => RED_PAINT,
        }
    }
}

/// Light on the cell: a lamp far away and an even sky.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Light {
    /// Unit vector from the cell to the lamp.
    pub direction: [f64; 3],
    /// Colour and strength of the lamp, linear RGB.
    pub lamp: [f32; 3],
    /// Colour and strength of the light from everywhere, linear RGB.
    pub ambient: [f32; 3],
}

/// The wooden table top.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Table {
    /// Mean reflectance of the wood, linear RGB.
    pub albedo: [f32; 3],
    /// Direction of the planks, radians from +x.
    pub plank_bearing_rad: f64,
    /// Seed of grain and plank tones.
    pub grain_seed: u32,
}

/// Table top: x from and to, y from and to, metres.
pub const TABLE_EXTENT_M: [[f64; 2]; 2] = [[-0.40, 0.80], [-0.62, 0.62]];

/// Where the fixed third-person camera stands and looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CameraPose {
    /// Centre of projection, metres.
    pub eye_m: [f64; 3],
    /// The point in the middle of the picture, metres.
    pub target_m: [f64; 3],
    /// Vertical field of view, radians.
    pub vertical_view_rad: f64,
}

/// A cell as it stands at the start of an episode.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// The seed that all of it comes from.
    pub seed: u64,
    /// The boxes in the order of [`BoxColour::ALL`].
    pub boxes: [BoxPose; BOX_COUNT],
    /// The light.
    pub light: Light,
    /// The table.
    pub table: Table,
    /// Brightness of the wall behind, linear RGB.
    pub backdrop: [f32; 3],
    /// The camera.
    pub camera: CameraPose,
    /// Standard deviation of the sensor noise, in steps of 8 bits.
    pub noise_sigma: f32,
}

/// Each aspect draws from a stream of its own, so that a new aspect changes none of the others for a known seed.
#[derive(Clone, Copy)]
enum Aspect {
    Boxes,
    Light,
    Table,
    Camera,
    Backdrop,
}

fn generator(seed: u64, aspect: Aspect) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(aspect as u64);
    generator
}

impl Scene {
    /// The cell of a seed.
    pub fn from_seed(seed: u64) -> Self {
        Self {
            seed,
            boxes: placement::place_boxes(&mut generator(seed, Aspect::Boxes)),
            light: Light::draw(&mut generator(seed, Aspect::Light)),
            table: Table::draw(&mut generator(seed, Aspect::Table)),
            backdrop: draw_backdrop(&mut generator(seed, Aspect::Backdrop)),
            camera: CameraPose::draw(&mut generator(seed, Aspect::Camera)),
            noise_sigma: 1.3,
        }
    }
}

impl Light {
    fn draw(generator: &mut ChaCha8Rng) -> Self {
        let (x, y) = (generator.random_range(-0.55..0.20), generator.random_range(-0.65..-0.05));
        let length = f64::sqrt(x * x + y * y + 1.0);
        let warmth = generator.random_range(-0.04..0.06_f32);
        let strength = generator.random_range(0.78..0.92_f32);
        let ambient = generator.random_range(0.30..0.40_f32);
        Self {
            direction: [x / length, y / length, 1.0 / length],
            lamp: [strength * (1.0 + warmth), strength, strength * (1.0 - warmth)],
            ambient: [ambient * 0.97, ambient, ambient * 1.05],
        }
    }
}

impl Table {
    fn draw(generator: &mut ChaCha8Rng) -> Self {
        let tone = generator.random_range(0.88..1.12_f32);
        let red = generator.random_range(0.95..1.05_f32);
        Self {
            albedo: [0.335 * tone * red, 0.190 * tone, 0.098 * tone / red],
            plank_bearing_rad: generator.random_range(-0.10..0.10),
            grain_seed: generator.random(),
        }
    }
}

fn draw_backdrop(generator: &mut ChaCha8Rng) -> [f32; 3] {
    let tone = generator.random_range(0.9..1.1_f32);
    [0.47 * tone, 0.50 * tone, 0.53 * tone]
}

impl CameraPose {
    fn draw(generator: &mut ChaCha8Rng) -> Self {
        let mut jitter = |centre: [f64; 3], by: [f64; 3]| -> [f64; 3] {
            std::array::from_fn(|axis| centre[axis] + by[axis] * generator.random_range(-1.0..1.0))
        };
        Self {
            eye_m: jitter([0.60, -0.40, 0.46], [0.010; 3]),
            target_m: jitter([0.20, 0.02, 0.07], [0.006, 0.006, 0.0]),
            vertical_view_rad: 0.80,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_one_cell() {
        assert_eq!(Scene::from_seed(7), Scene::from_seed(7));
        let (a, b) = (Scene::from_seed(7), Scene::from_seed(8));
        assert!(a.boxes != b.boxes && a.light != b.light && a.table != b.table && a.camera != b.camera);
    }

    #[test]
    fn the_camera_stays_near_its_stand() {
        for seed in 0..200 {
            let camera = Scene::from_seed(seed).camera;
            for (axis, centre) in [0.60, -0.40, 0.46].into_iter().enumerate() {
                assert!((camera.eye_m[axis] - centre).abs() <= 0.010, "seed {seed}: {camera:?}");
            }
        }
    }

    #[test]
    fn the_lamp_stands_above() {
        for seed in 0..200 {
            let [x, y, z] = Scene::from_seed(seed).light.direction;
            assert!(z > 0.7 && (x * x + y * y + z * z - 1.0).abs() < 1e-12, "seed {seed}");
        }
    }
}
