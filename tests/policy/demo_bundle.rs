//! The demo's bundle, and that it was trained on the pictures that it is shown.

use roarm::policy::{Bundle, ResizeWithPad};
use roarm::sim::demonstration::{PICTURE_HEIGHT, PICTURE_WIDTH, READY_POSE, SmallCamera, reduce};
use roarm::sim::renderer::{CellState, Renderer};
use roarm::sim::scene::Scene;

use crate::support::repository;

fn bundle() -> Bundle {
    Bundle::load(&repository().join("models/demo/bundle")).expect("the shipped bundle is whole")
}

#[test]
fn it_is_small_and_plays_half_of_its_chunks() {
    let bundle = bundle();
    let bytes: u64 = std::fs::read_dir(bundle.folder())
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(bytes <= 10_000_000, "{bytes} bytes");
    assert_eq!((bundle.horizon(), bundle.n_action_steps(), bundle.fps()), (50, 25, Some(30.0)));
}

/// Training pictures are drawn at 256x192 and halved; the policy is shown 640x480, letterboxed to 512x512 and averaged by four. Both
/// must be the same picture.
#[test]
fn the_pictures_of_training_are_those_that_the_policy_sees() {
    let bundle = bundle();
    let mut resize = ResizeWithPad::new(640, 480, &bundle.contract().cameras).unwrap();
    for seed in [0, 17, 4242] {
        let scene = Scene::from_seed(seed);
        let state = CellState { angles: READY_POSE, boxes: scene.boxes };
        let small = SmallCamera::new(&scene).picture(&state.angles, &state.boxes, 3);

        let mut full = vec![0; 640 * 480 * 3];
        assert!(Renderer::new(&scene, 640, 480).render(&state, 3, &mut full));
        let mut planes = vec![0.0; resize.output_len()];
        assert!(resize.rgb8(&full, &mut planes));
        // the lower 384 rows, back to bytes; `reduce` averages squares of four
        let mut lower = vec![0; 512 * 384 * 3];
        for (index, value) in lower.iter_mut().enumerate() {
            let (pixel, channel) = (index / 3, index % 3);
            let (row, column) = (pixel / 512 + 128, pixel % 512);
            *value = ((planes[(channel * 512 + row) * 512 + column] + 1.0) * 127.5).round() as u8;
        }
        let seen = reduce(&lower, 512, 4);
        assert_eq!(seen.len(), (PICTURE_WIDTH * PICTURE_HEIGHT * 3) as usize);
        let differences: Vec<f64> = seen.iter().zip(&small).map(|(a, b)| f64::from(a.abs_diff(*b))).collect();
        let mean = differences.iter().sum::<f64>() / differences.len() as f64;
        let far = differences.iter().filter(|difference| **difference > 16.0).count();
        println!("seed {seed}: mean difference {mean:.2} of 255, {far} of {} values beyond 16", seen.len());
        assert!(mean < 2.0 && far * 100 < seen.len(), "seed {seed}: {mean}, {far}");
    }
}
