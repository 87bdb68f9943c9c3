//! What a picture of the cell must show.
#![allow(clippy::unwrap_used, clippy::panic)]

use calibration::{DatasetAngles, Joint};

use super::*;
use crate::sim::scene::{BOX_HALF_SIZE_M, BoxColour};

const WIDTH: u32 = 320;
const HEIGHT: u32 = 240;

/// Stretched out backwards: away from every box, and so is its shadow.
fn backwards() -> JointAngles {
    DatasetAngles::from_array_deg([0.0, -80.0, -10.0, 0.0, 0.0, 20.0]).into()
}

fn reaching() -> JointAngles {
    DatasetAngles::from_array_deg([0.0, 45.0, 90.0, 45.0, 0.0, 30.0]).into()
}

struct Picture(Vec<u8>);

impl Picture {
    fn of(scene: &Scene, angles: JointAngles) -> Self {
        Self::with(scene, CellState { angles, boxes: scene.boxes })
    }

    fn with(scene: &Scene, state: CellState) -> Self {
        let mut pixels = vec![0; (WIDTH * HEIGHT * 3) as usize];
        assert!(Renderer::new(scene, WIDTH, HEIGHT).render_without_noise(&state, &mut pixels));
        Self(pixels)
    }

    fn at(&self, point: ImagePoint) -> [u8; 3] {
        let pixel = point.y_px as usize * WIDTH as usize + point.x_px as usize;
        self.0[pixel * 3..pixel * 3 + 3].try_into().unwrap()
    }

    fn differing(&self, other: &Self) -> usize {
        self.0.chunks(3).zip(other.0.chunks(3)).filter(|(a, b)| a != b).count()
    }
}

fn camera(scene: &Scene) -> PinholeCamera {
    PinholeCamera::new(&scene.camera, WIDTH, HEIGHT)
}

fn point(place: [f64; 3]) -> Point3<f32> {
    Point3::from(place).cast()
}

fn far_away(scene: &Scene) -> [BoxPose; BOX_COUNT] {
    scene.boxes.map(|pose| BoxPose { centre_m: [-3.0, 3.0, BOX_HALF_SIZE_M], ..pose })
}

#[test]
fn each_box_is_seen_at_its_place_in_its_colour() {
    for seed in 0..20 {
        let scene = Scene::from_seed(seed);
        let picture = Picture::of(&scene, backwards());
        for (colour, pose) in BoxColour::ALL.into_iter().zip(scene.boxes) {
            let [red, green, blue] =
                picture.at(camera(&scene).project(&point(pose.centre_m)).unwrap()).map(i32::from);
            match colour {
                BoxColour::White => {
                    assert!(
                        red > 90 && (red - green).abs() < 30 && (red - blue).abs() < 50,
                        "seed {seed}: {red} {green} {blue}"
                    );
                }
                BoxColour::Red => {
                    assert!(
                        red > 70 && red > 2 * green && red > 2 * blue,
                        "seed {seed}: {red} {green} {blue}"
                    );
                }
            }
        }
    }
}

#[test]
fn boxes_move_with_their_poses() {
    let scene = Scene::from_seed(1);
    let with = Picture::of(&scene, backwards());
    let without = Picture::with(&scene, CellState { angles: backwards(), boxes: far_away(&scene) });
    for pose in scene.boxes {
        let at = camera(&scene).project(&point(pose.centre_m)).unwrap();
        assert_ne!(with.at(at), without.at(at));
    }
}

#[test]
fn every_joint_moves_pixels() {
    let scene = Scene::from_seed(2);
    let before = Picture::of(&scene, reaching());
    for joint in Joint::ALL {
        let mut angles = reaching();
        angles.set(joint, angles.get(joint) + 0.2);
        let moved = before.differing(&Picture::of(&scene, angles));
        assert!(moved > 30, "{joint} moves {moved} pixels");
    }
    assert_eq!(before.differing(&Picture::of(&scene, reaching())), 0);
}

/// The forearm's plates are light grey, the table behind them brown: its red is far above its blue.
#[test]
fn the_arm_hides_the_table() {
    let scene = Scene::from_seed(2);
    let links = ForwardKinematics::default().link_poses(&reaching());
    let forearm = links.pose(calibration::kinematics::Link::Link3);
    let camera = camera(&scene);
    let (arm, empty) = (Picture::of(&scene, reaching()), Picture::of(&scene, backwards()));
    let brown = |[red, _, blue]: [u8; 3]| i32::from(red) - i32::from(blue) > 30;
    let mut seen = 0;
    // along the cover between the plates
    for step in 3..=9 {
        let middle = forearm * Point3::new(0.0, -0.01 * f64::from(step), 0.0);
        let at = camera.project(&middle.cast()).unwrap();
        assert!(!brown(arm.at(at)), "{:?} at {middle}", arm.at(at));
        seen += usize::from(brown(empty.at(at)));
    }
    assert!(seen >= 5, "the table lies behind the forearm, else this shows nothing");
}

/// Light on the table is taken away where the line to the lamp meets a box, and only there.
#[test]
fn boxes_cast_shadows_away_from_the_lamp() {
    for seed in 0..10 {
        let scene = Scene::from_seed(seed);
        let camera = camera(&scene);
        let boxes = Picture::of(&scene, backwards());
        let none = Picture::with(&scene, CellState { angles: backwards(), boxes: far_away(&scene) });
        let light = scene.light.direction;
        let sum = |colour: [u8; 3]| colour.map(i32::from).iter().sum::<i32>();
        let darker = |place: [f64; 3]| {
            let at = camera.project(&point(place)).unwrap();
            sum(none.at(at)) - sum(boxes.at(at))
        };
        let [x, y, _] = scene.boxes[1].centre_m;
        // 1.2 box widths from the centre, opposite the lamp and towards it
        let run = f64::hypot(light[0], light[1]);
        let shadow_end = 2.0 * BOX_HALF_SIZE_M * run / light[2];
        if shadow_end < 0.016 {
            continue; // the lamp stands too high for a shadow beside the box
        }
        let away = BOX_HALF_SIZE_M * 1.15 + 0.35 * shadow_end;
        let in_shadow = [x - light[0] / run * away, y - light[1] / run * away, 0.0];
        let map = shadow_share(&scene, in_shadow);
        assert!(map > 0.3, "seed {seed}: {map}");
        let lit = [x + light[0] / run * 0.06, y + light[1] / run * 0.06, 0.0];
        assert!(shadow_share(&scene, lit) < 0.02, "seed {seed}");
        assert!(darker(lit).abs() < 25, "seed {seed}: {}", darker(lit));
    }
}

/// Share of the lamp hidden from a place of the table, boxes only mattering.
fn shadow_share(scene: &Scene, place: [f64; 3]) -> f32 {
    let mut renderer = Renderer::new(scene, 8, 8);
    let mut pixels = [0; 8 * 8 * 3];
    assert!(
        renderer.render_without_noise(&CellState { angles: backwards(), boxes: scene.boxes }, &mut pixels)
    );
    let cell = renderer.shadow.lamp.table_cell([place[0] as f32, place[1] as f32]);
    renderer.shadow.hidden(cell).map_or(0.0, |[_, lamp]| lamp)
}

#[test]
fn the_arm_casts_a_shadow_on_the_table() {
    let scene = Scene::from_seed(3);
    let links = ForwardKinematics::default().link_poses(&reaching());
    let mut tool = links.pose(calibration::kinematics::Link::Link5) * Point3::new(-0.008, 0.0, 0.03);
    let light = scene.light.direction;
    tool -= Vector3::from(light) * (tool.z / light[2]);
    let mut renderer = Renderer::new(&scene, 8, 8);
    let mut share = |angles| {
        let mut pixels = [0; 8 * 8 * 3];
        assert!(renderer.render_without_noise(&CellState { angles, boxes: scene.boxes }, &mut pixels));
        let cell = renderer.shadow.lamp.table_cell([tool.x as f32, tool.y as f32]);
        renderer.shadow.hidden(cell).map_or(0.0, |[_, lamp]| lamp)
    };
    assert!(share(reaching()) > 0.8);
    assert!(share(backwards()) < 0.05, "the shadow leaves with the arm");
}

#[test]
fn what_lies_below_the_table_is_not_seen() {
    let scene = Scene::from_seed(4);
    let mut sunk = scene.boxes;
    for pose in &mut sunk {
        pose.centre_m[2] = -0.10;
    }
    let below = Picture::with(&scene, CellState { angles: backwards(), boxes: sunk });
    for pose in sunk {
        let [red, green, blue] = below.at(camera(&scene).project(&point(pose.centre_m)).unwrap());
        assert!(red < 215 && red > green && green > blue, "wood, not paint: {red} {green} {blue}");
        assert!(u16::from(red) < 2 * u16::from(green), "wood, not paint: {red} {green} {blue}");
    }
}

#[test]
fn noise_is_small_and_its_own_in_each_picture() {
    let scene = Scene::from_seed(5);
    let state = CellState { angles: reaching(), boxes: scene.boxes };
    let clean = Picture::of(&scene, reaching()).0;
    let mut renderer = Renderer::new(&scene, WIDTH, HEIGHT);
    let mut noisy = clean.clone();
    assert!(renderer.render(&state, 0, &mut noisy));
    let mean =
        clean.iter().zip(&noisy).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / clean.len() as f64;
    assert!((0.5..2.0).contains(&mean), "{mean}");
    let mut next = clean.clone();
    assert!(renderer.render(&state, 1, &mut next));
    assert_ne!(noisy, next);
}

#[test]
fn a_buffer_of_another_length_is_refused_and_left_alone() {
    let scene = Scene::from_seed(6);
    let state = CellState { angles: backwards(), boxes: scene.boxes };
    let mut renderer = Renderer::new(&scene, 16, 12);
    let mut short = vec![7; 16 * 12 * 3 - 1];
    assert!(!renderer.render(&state, 0, &mut short));
    assert!(short.iter().all(|&byte| byte == 7));
}

/// Poses that no controller sends must not crash the picture either.
#[test]
fn strange_poses_are_drawn_without_panic() {
    let scene = Scene::from_seed(6);
    let mut renderer = Renderer::new(&scene, 64, 48);
    let mut pixels = vec![0; 64 * 48 * 3];
    for value in [f64::NAN, f64::INFINITY, 1e300, -1e9, 3.0] {
        let state = CellState { angles: JointAngles::from_array_rad([value; 6]), boxes: scene.boxes };
        assert!(renderer.render(&state, 0, &mut pixels));
    }
    let state = CellState { angles: backwards(), boxes: scene.boxes };
    assert!(renderer.render_without_noise(&state, &mut pixels));
    let mut fresh = vec![0; 64 * 48 * 3];
    assert!(Renderer::new(&scene, 64, 48).render_without_noise(&state, &mut fresh));
    assert_eq!(pixels, fresh, "and leave no trace in the next picture");
}
