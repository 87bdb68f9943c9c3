//! The flow matching time as the policy sees it: sines and cosines of geometrically spaced periods.

use std::f64::consts::TAU;

use super::bundle::manifest::FlowContract;

/// Embeddings of all flow steps, `steps` rows of `time_embedding_dim` values: sines first, then cosines.
///
/// LeRobot 0.4.4 computes `create_sinusoidal_pos_embedding` in double precision and rounds the result; the time itself passes through
/// single precision on its way in.
pub fn time_embeddings(flow: &FlowContract) -> Vec<f32> {
    let half = flow.time_embedding_dim / 2;
    let mut table = Vec::with_capacity(flow.steps * flow.time_embedding_dim);
    for step in 0..flow.steps {
        let time = f64::from(flow_time(step, flow.steps) as f32);
        let angle = |index: usize| TAU / period(index, half, flow) * time;
        table.extend((0..half).map(|index| angle(index).sin() as f32));
        table.extend((0..half).map(|index| angle(index).cos() as f32));
    }
    table
}

/// The time at a step: from 1 (noise) towards 0 (actions). The embedding sees it in single precision, real-time chunking in double.
pub(super) fn flow_time(step: usize, steps: usize) -> f64 {
    1.0 + step as f64 * (-1.0 / steps as f64)
}

fn period(index: usize, half: usize, flow: &FlowContract) -> f64 {
    let fraction = if half > 1 { index as f64 / (half - 1) as f64 } else { 0.0 };
    flow.min_period * (flow.max_period / flow.min_period).powf(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_at_time_one_and_has_unit_waves() {
        let flow = FlowContract { steps: 10, time_embedding_dim: 8, min_period: 0.004, max_period: 4.0 };
        let table = time_embeddings(&flow);
        assert_eq!(table.len(), 80);
        // Longest period at time 1: a quarter turn.
        assert!((table[3] - 1.0).abs() < 1e-6 && table[7].abs() < 1e-6);
        for row in table.chunks(8) {
            for index in 0..4 {
                assert!((row[index].hypot(row[index + 4]) - 1.0).abs() < 1e-6);
            }
        }
        assert_eq!(flow_time(3, 10) as f32, 0.7);
    }
}
