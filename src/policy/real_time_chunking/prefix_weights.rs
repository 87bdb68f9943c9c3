//! How much each action of the previous chunk counts.

use std::f64::consts::E;

use crate::types::PrefixAttentionSchedule;

/// Fills `weights`, one an action of the new chunk: 1 before `delay`, 0 from `horizon` on, the schedule's values between.
///
/// LeRobot 0.4.4's `RTCProcessor.get_prefix_weights(delay, horizon, weights.len())`; the paper's equation 5 with LeRobot's names. A delay
/// beyond the horizon counts as the horizon, a horizon beyond the chunk as the chunk's length. No weight is ever outside 0 to 1.
pub fn prefix_weights(schedule: PrefixAttentionSchedule, delay: usize, horizon: usize, weights: &mut [f32]) {
    let end = horizon.min(weights.len());
    let start = delay.min(end);
    for (index, weight) in weights.iter_mut().enumerate() {
        *weight = match index {
            _ if index < start => 1.0,
            _ if index >= end => 0.0,
            _ => match schedule {
                PrefixAttentionSchedule::Zeros => 0.0,
                PrefixAttentionSchedule::Ones => 1.0,
                PrefixAttentionSchedule::Linear => falling(index, start, end) as f32,
                PrefixAttentionSchedule::Exp => {
                    let linear = falling(index, start, end);
                    (linear * linear.exp_m1() / (E - 1.0)) as f32
                }
            },
        };
    }
}

/// LeRobot's `linspace(1, 0, n + 2)[1:-1]` over the n actions from `start` to `end`.
fn falling(index: usize, start: usize, end: usize) -> f64 {
    (end - index) as f64 / (end - start + 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(schedule: PrefixAttentionSchedule, delay: usize, horizon: usize) -> [f32; 6] {
        let mut weights = [f32::NAN; 6];
        prefix_weights(schedule, delay, horizon, &mut weights);
        weights
    }

    #[test]
    fn every_schedule_keeps_the_delay_and_frees_what_is_beyond_the_horizon() {
        assert_eq!(weights(PrefixAttentionSchedule::Zeros, 2, 4), [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(weights(PrefixAttentionSchedule::Ones, 2, 4), [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!(weights(PrefixAttentionSchedule::Linear, 2, 5), [1.0, 1.0, 0.75, 0.5, 0.25, 0.0]);
        let exp = weights(PrefixAttentionSchedule::Exp, 2, 5);
        assert!((exp[3] - 0.188_770_33).abs() < 1e-7, "0.5 (e^0.5 - 1) / (e - 1), not {}", exp[3]);
        assert_eq!((exp[1], exp[5]), (1.0, 0.0));
    }

    #[test]
    fn a_delay_or_horizon_too_long_is_cut() {
        for schedule in PrefixAttentionSchedule::ALL {
            assert_eq!(weights(schedule, 9, 3), [1.0, 1.0, 1.0, 0.0, 0.0, 0.0], "{schedule}");
            assert_eq!(weights(schedule, 2, 99), weights(schedule, 2, 6), "{schedule}");
            assert_eq!(weights(schedule, 3, 0), [0.0; 6], "{schedule}");
        }
        prefix_weights(PrefixAttentionSchedule::Exp, 1, 5, &mut []);
    }
}
