//! How strongly a flow step is guided.

/// The guidance weight at flow time `time` (1: noise, 0: actions), at most `max_guidance_weight`.
///
/// With `tau = 1 - time`: `(1 - tau)/tau * ((1 - tau)^2 + tau^2)/(1 - tau)^2`, the paper's equations 2 and 4; at `time` 1, where that is
/// infinite, the limit. LeRobot 0.4.4 subtracts `tau` in double precision and goes on in single precision; so does this, since the
/// differences near the ends are large enough to see.
///
/// Over 10 steps with a limit of 10: 10, 9.11, 4.25, 2.76, 2.17, 2.0, 2.17, 2.76, 4.25, 9.11.
pub fn guidance_weight(time: f64, max_guidance_weight: f32) -> f32 {
    let tau = (1.0 - time) as f32;
    let squared = (1.0 - tau) * (1.0 - tau);
    let inverse_variance = (squared + tau * tau) / squared;
    let odds = finite((1.0 - tau) / tau, max_guidance_weight);
    finite(odds * inverse_variance, max_guidance_weight).min(max_guidance_weight)
}

/// LeRobot's `nan_to_num(value, posinf=limit)`.
fn finite(value: f32, limit: f32) -> f32 {
    if value.is_nan() {
        0.0
    } else if value == f32::INFINITY {
        limit
    } else {
        value
    }
}

/// The share of the policy's last disagreement with a fully weighted action that remains in the chunk: `|1 - g/steps|`, where `g` is the
/// guidance weight of the last step.
///
/// Where the limit does not cut it, `g` is `steps - 1 + 1/(steps - 1)` and the share `(steps - 2)/(steps (steps - 1))`.
pub fn last_step_share(steps: usize, max_guidance_weight: f32) -> f32 {
    let last_time = 1.0 / steps as f64;
    let weight = f64::from(guidance_weight(last_time, max_guidance_weight));
    (1.0 - weight / steps as f64).abs() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_lerobots_curve_over_ten_steps() {
        let expected = [10.0, 9.111, 4.25, 2.762, 2.167, 2.0, 2.167, 2.762, 4.25, 9.111];
        for (step, expected) in expected.into_iter().enumerate() {
            let weight = guidance_weight(1.0 - step as f64 / 10.0, 10.0);
            assert!((weight - expected).abs() < 1e-3, "step {step}: {weight}");
        }
    }

    #[test]
    fn the_limit_holds_at_every_time() {
        for limit in [0.1, 1.0, 5.0, 1e6] {
            for step in 0..=1000 {
                let weight = guidance_weight(f64::from(step) / 1000.0, limit);
                assert!(weight > 0.0 || step == 0, "{step}");
                assert!(weight <= limit, "{step}: {weight}");
            }
        }
    }

    #[test]
    fn the_share_follows_its_closed_form() {
        for steps in 2..=50_usize {
            let expected = (steps - 2) as f32 / (steps * (steps - 1)) as f32;
            assert!((last_step_share(steps, 1000.0) - expected).abs() < 1e-6, "{steps}");
        }
        assert!((last_step_share(10, 10.0) - 4.0 / 45.0).abs() < 1e-6);
        assert_eq!(last_step_share(10, 5.0), 0.5);
        assert_eq!(last_step_share(1, 3.0), 2.0, "a single step overshoots");
    }
}
