//! The elementwise formulas, each and together over synthetic flows.

use roarm::policy::real_time_chunking::{correct_velocity, guidance_weight, prefix_weights};

use super::{floats, numbers, schedules};
use crate::support::largest_difference;

const LIMIT: f32 = 1e-6;
/// Rounding of ten steps adds up.
const FLOW_LIMIT: f32 = 1e-5;
const FLOWS: &str = "synthetic_flows.npz";
/// Shape of the synthetic chunks.
const HORIZON: usize = 14;
const DIMENSION: usize = 8;

#[test]
fn prefix_weights_are_lerobots() {
    const FILE: &str = "prefix_weights.npz";
    const TOTAL: usize = 50;
    let (schedules, delays, horizons) = (schedules(FILE), numbers(FILE, "delay"), numbers(FILE, "horizon"));
    let mut largest: f32 = 0.0;
    for (case, expected) in floats(FILE, "weights").chunks_exact(TOTAL).enumerate() {
        let mut weights = [f32::NAN; TOTAL];
        prefix_weights(schedules[case], delays[case], horizons[case], &mut weights);
        let difference = largest_difference(&weights, expected);
        assert!(
            difference <= LIMIT,
            "{} d={} h={}: {difference:e}",
            schedules[case],
            delays[case],
            horizons[case]
        );
        largest = largest.max(difference);
    }
    println!("{} cases, largest difference {largest:.1e}", schedules.len());
    assert_eq!(schedules.len(), 4 * 10 * 9);
}

/// One synthetic flow: its parameters, and what entered and left each of its steps.
struct Flow {
    limit: f32,
    steps: usize,
    weights: Vec<f32>,
    previous: Vec<f32>,
    /// Index of its first step among the steps of all flows.
    first: usize,
}

fn flows() -> Vec<Flow> {
    let (schedules, delays, horizons) =
        (schedules(FLOWS), numbers(FLOWS, "delay"), numbers(FLOWS, "horizon"));
    let (limits, rows, steps) =
        (floats(FLOWS, "max_guidance_weight"), numbers(FLOWS, "left_over_rows"), numbers(FLOWS, "steps"));
    let left_over = floats(FLOWS, "left_over");
    let mut first = 0;
    (0..schedules.len())
        .map(|case| {
            let mut weights = vec![f32::NAN; HORIZON];
            let horizon = horizons[case].min(rows[case]);
            prefix_weights(schedules[case], delays[case], horizon, &mut weights);
            let mut previous = vec![0.0; HORIZON * DIMENSION];
            let actions = left_over[(HORIZON - rows[case]) * 6..].chunks(6);
            previous
                .chunks_mut(DIMENSION)
                .zip(actions)
                .for_each(|(row, action)| row[..6].copy_from_slice(action));
            let flow = Flow { limit: limits[case], steps: steps[case], weights, previous, first };
            first += steps[case];
            flow
        })
        .collect()
}

fn time(step: usize, steps: usize) -> f64 {
    1.0 + step as f64 * (-1.0 / steps as f64)
}

#[test]
fn guidance_weights_are_lerobots() {
    let expected = floats(FLOWS, "guidance_weight");
    let mut largest: f32 = 0.0;
    for flow in flows() {
        for step in 0..flow.steps {
            let weight = guidance_weight(time(step, flow.steps), flow.limit);
            largest = largest.max((weight - expected[flow.first + step]).abs());
        }
    }
    println!("{} steps, largest difference {largest:.1e}", expected.len());
    assert!(largest <= LIMIT, "{largest:e}");
}

#[test]
fn every_corrected_velocity_is_lerobots() {
    const SIZE: usize = HORIZON * DIMENSION;
    let [noisy, velocity, guided] = ["x_t", "v_t", "guided_v_t"].map(|name| floats(FLOWS, name));
    let (mut largest, mut bent): (f32, f32) = (0.0, 0.0);
    for flow in flows() {
        for step in 0..flow.steps {
            let place = (flow.first + step) * SIZE..(flow.first + step + 1) * SIZE;
            let time = time(step, flow.steps);
            let mut ours = velocity[place.clone()].to_vec();
            let weight = guidance_weight(time, flow.limit);
            correct_velocity(
                &mut ours,
                &noisy[place.clone()],
                &flow.previous,
                &flow.weights,
                DIMENSION,
                time,
                weight,
            );
            // Velocities go up to some hundreds where the limit is 40: rounding grows with them.
            let scale = guided[place.clone()].iter().fold(1.0_f32, |scale, value| scale.max(value.abs()));
            largest = largest.max(largest_difference(&ours, &guided[place.clone()]) / scale);
            bent = bent.max(largest_difference(&velocity[place.clone()], &guided[place]));
        }
    }
    println!("largest relative difference {largest:.1e}; guidance bends by up to {bent:.1}");
    assert!(largest <= LIMIT, "{largest:e}");
    assert!(bent > 10.0);
}

#[test]
fn whole_synthetic_flows_end_where_lerobots_end() {
    const SIZE: usize = HORIZON * DIMENSION;
    let [noisy, velocity, chunks] = ["x_t", "v_t", "chunk"].map(|name| floats(FLOWS, name));
    let mut largest: f32 = 0.0;
    for (flow, expected) in flows().iter().zip(chunks.chunks_exact(SIZE)) {
        let mut chunk = noisy[flow.first * SIZE..(flow.first + 1) * SIZE].to_vec();
        for step in 0..flow.steps {
            let place = (flow.first + step) * SIZE..(flow.first + step + 1) * SIZE;
            let time = time(step, flow.steps);
            let mut ours = velocity[place].to_vec();
            let weight = guidance_weight(time, flow.limit);
            correct_velocity(&mut ours, &chunk, &flow.previous, &flow.weights, DIMENSION, time, weight);
            let dt = (-1.0 / flow.steps as f64) as f32;
            chunk.iter_mut().zip(ours).for_each(|(value, velocity)| *value += dt * velocity);
        }
        let scale = expected.iter().fold(1.0_f32, |scale, value| scale.max(value.abs()));
        largest = largest.max(largest_difference(&chunk, expected) / scale);
    }
    println!("{} flows, largest relative difference {largest:.1e}", chunks.len() / SIZE);
    assert!(largest <= FLOW_LIMIT, "{largest:e}");
}
