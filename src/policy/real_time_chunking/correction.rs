//! The velocity that leads to the previous chunk.

/// Replaces the policy's `velocity` by the guided one: `v - g w (p - (x - t v))`, for each action and dimension.
///
/// LeRobot 0.4.4, `RTCProcessor.denoise_step`, in single precision and in its order of operations. All three arrays are rows of `dimension`
/// values, one row an action; `weights` has one value a row. Rows of weight 0 keep their velocity.
///
/// Rows beyond the shortest array are left alone.
pub fn correct_velocity(
    velocity: &mut [f32],
    noisy: &[f32],
    previous: &[f32],
    weights: &[f32],
    dimension: usize,
    time: f64,
    guidance_weight: f32,
) {
    let time = time as f32;
    let rows = velocity
        .chunks_exact_mut(dimension)
        .zip(noisy.chunks_exact(dimension))
        .zip(previous.chunks_exact(dimension))
        .zip(weights);
    for (((velocity, noisy), previous), weight) in rows {
        if *weight == 0.0 {
            continue;
        }
        for ((velocity, noisy), previous) in velocity.iter_mut().zip(noisy).zip(previous) {
            let estimate = noisy - time * *velocity;
            let error = (previous - estimate) * weight;
            *velocity -= guidance_weight * error;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_that_agrees_keeps_its_velocity() {
        let (noisy, previous) = ([2.0, 3.0], [1.0, 1.0]);
        let mut velocity = [2.0, 4.0];
        correct_velocity(&mut velocity, &noisy, &previous, &[1.0], 2, 0.5, 10.0);
        assert_eq!(velocity, [2.0, 4.0], "x - v/2 is the previous action");
    }

    #[test]
    fn a_free_action_is_not_touched_even_by_an_infinite_one() {
        let mut velocity = [0.5, 0.25];
        correct_velocity(&mut velocity, &[f32::INFINITY, 1.0], &[0.0, 0.0], &[0.0, 0.0], 1, 1.0, 10.0);
        assert_eq!(velocity, [0.5, 0.25]);
    }
}
