//! Frames a second of the simulated cell's renderer at 640x480 on one core, with the arm moving.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use calibration::DatasetAngles;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use roarm::sim::renderer::{CellState, Renderer};
use roarm::sim::scene::Scene;

fn render(criterion: &mut Criterion) {
    let scene = Scene::from_seed(7);
    let mut renderer = Renderer::new(&scene, 640, 480);
    let mut pixels = vec![0; 640 * 480 * 3];
    let mut group = criterion.benchmark_group("sim");
    group.throughput(Throughput::Elements(1));
    let mut sequence = 0;
    group.bench_function("render 640x480", |bencher| {
        bencher.iter(|| {
            sequence += 1;
            let swing_deg = 25.0 * (sequence as f64 * 0.05).sin();
            let angles = DatasetAngles::from_array_deg([swing_deg, 25.0, 95.0, 55.0, 10.0, 40.0]).into();
            let state = CellState { angles, boxes: scene.boxes };
            assert!(renderer.render(black_box(&state), sequence, &mut pixels));
        });
    });
    group.bench_function("scene setup 640x480", |bencher| {
        bencher.iter(|| Renderer::new(black_box(&scene), 640, 480));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = render
}
criterion_main!(benches);
