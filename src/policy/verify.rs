//! Whether this machine computes what PyTorch computed.

use serde::Serialize;

use super::bundle::{Bundle, Limits, ParityFixture};
use super::engine::Pixels;
use super::{Engine, PolicyError, Prediction, StageTimings};

/// Result of [`verify`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VerifyReport {
    /// Whether every check holds.
    pub ok: bool,
    /// Tokens, mask, state, pixels, z-scores, degrees, and z-scores with real-time chunking where the bundle has such cases.
    pub checks: Vec<Check>,
}

/// One comparison with the bundle's parity fixture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// `lang_tokens`, `lang_mask`, `state_norm`, `pixels`, `chunk_norm` (z-scores), `chunk` (degrees) or `guided_norm` (z-scores with
    /// real-time chunking, the worst of all cases).
    pub name: &'static str,
    /// The largest absolute difference; infinite (`null` in JSON) if a value is NaN.
    pub max_abs: f64,
    /// What is accepted.
    pub limit: f64,
    /// The mean of the absolute differences, of z-scores only.
    pub mean_abs: Option<f64>,
    /// What is accepted of the mean, where the bundle says so (int8).
    pub mean_limit: Option<f64>,
    /// Whether `max_abs` and `mean_abs` are within their limits.
    pub ok: bool,
}

/// Runs the bundle's parity case in `engine` and compares each stage. The engine's task is the case's afterwards.
pub fn verify(bundle: &Bundle, engine: &mut Engine) -> Result<VerifyReport, PolicyError> {
    let case = bundle.parity()?;
    let mut timings = StageTimings::default();
    engine.set_task(&case.task)?;
    let mut pixels: f64 = 0.0;
    for (slot, (image, expected)) in case.images.iter().zip(&case.pixels).enumerate() {
        let picture = Pixels::PlanarFloat { width: image.width, height: image.height, planes: &image.planes };
        engine.see(slot, &picture, &mut timings)?;
        pixels = pixels.max(largest_difference(engine.pixels(), expected));
    }
    engine.compute(&case.state, &case.noise, None, &mut timings)?;
    let mut prediction = Prediction::default();
    engine.read_chunk(&mut prediction);

    let tokens = engine.task_tokens().ok_or(PolicyError::NoTask)?;
    let ids = tokens.ids.iter().zip(&case.lang_tokens).map(|(a, b)| a.abs_diff(*b) as f64);
    let mask = tokens.mask.iter().zip(&case.lang_mask).map(|(a, b)| f64::from(u8::from(*a).abs_diff(*b)));
    let chunk = prediction.actions.iter().flat_map(|action| action.to_array_deg());
    let mut checks = vec![
        check("lang_tokens", ids.fold(0.0, f64::max), 0.0),
        check("lang_mask", mask.fold(0.0, f64::max), 0.0),
        check(
            "state_norm",
            largest_difference(engine.normalized_state(), &case.state_norm),
            case.limits.state_norm,
        ),
        check("pixels", pixels, case.limits.pixels),
        z_score_check("chunk_norm", differences(&prediction, &case.chunk_norm), &case.limits),
        check("chunk", largest(chunk.zip(&case.chunk).map(|(a, b)| a - f64::from(*b))), case.limits.chunk),
    ];
    if !case.guided.is_empty() {
        // The same network ten times as for `chunk_norm`, hence its limit.
        checks.push(z_score_check("guided_norm", guided_differences(engine, &case)?, &case.limits));
    }
    Ok(VerifyReport { ok: checks.iter().all(|check| check.ok), checks })
}

/// The largest and the mean absolute difference over all guided cases, each the worst. The engine has seen the case's pictures.
fn guided_differences(engine: &mut Engine, case: &ParityFixture) -> Result<(f64, f64), PolicyError> {
    let mut prediction = Prediction::default();
    let mut worst: (f64, f64) = (0.0, 0.0);
    for guided in &case.guided {
        let mut timings = StageTimings::default();
        engine.compute(&case.state, &case.noise, Some(&guided.guidance()), &mut timings)?;
        engine.read_chunk(&mut prediction);
        let (largest, mean) = differences(&prediction, &guided.chunk_norm);
        worst = (worst.0.max(largest), worst.1.max(mean));
    }
    Ok(worst)
}

fn check(name: &'static str, max_abs: f64, limit: f64) -> Check {
    Check { name, max_abs, limit, mean_abs: None, mean_limit: None, ok: max_abs <= limit }
}

fn z_score_check(name: &'static str, (max_abs, mean_abs): (f64, f64), limits: &Limits) -> Check {
    let mean_limit = limits.chunk_norm_mean;
    let ok = max_abs <= limits.chunk_norm && mean_limit.is_none_or(|limit| mean_abs <= limit);
    Check { name, max_abs, limit: limits.chunk_norm, mean_abs: Some(mean_abs), mean_limit, ok }
}

/// The largest and the mean absolute difference of the z-scores; both infinite if they cannot be compared.
fn differences(prediction: &Prediction, theirs: &[f32]) -> (f64, f64) {
    let ours = prediction.z_scores.as_flattened();
    let largest = largest_difference(ours, theirs);
    if !largest.is_finite() {
        return (f64::INFINITY, f64::INFINITY);
    }
    let sum: f64 = ours.iter().zip(theirs).map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs()).sum();
    (largest, sum / ours.len().max(1) as f64)
}

/// Infinite if the lengths differ: a comparison of fewer values proves nothing.
fn largest_difference(ours: &[f32], theirs: &[f32]) -> f64 {
    if ours.len() != theirs.len() {
        return f64::INFINITY;
    }
    largest(ours.iter().zip(theirs).map(|(a, b)| f64::from(*a) - f64::from(*b)))
}

/// The largest absolute value; infinite if there is a NaN, which `max` alone would pass over.
fn largest(differences: impl Iterator<Item = f64>) -> f64 {
    let sizes =
        differences.map(|difference| if difference.is_nan() { f64::INFINITY } else { difference.abs() });
    sizes.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_of_z_scores_count() {
        let mut limits =
            Limits { state_norm: 1.0, pixels: 1.0, chunk_norm: 0.1, chunk: 1.0, chunk_norm_mean: Some(0.03) };
        let mut prediction = Prediction::default();
        prediction.z_scores.push([0.0, 0.0, 0.0, 0.0, 0.0, 0.09]);
        let (largest, mean) = differences(&prediction, &[0.0; 6]);
        assert!((largest - 0.09).abs() < 1e-6 && (mean - 0.015).abs() < 1e-6, "{largest} {mean}");
        assert!(z_score_check("chunk_norm", (0.09, 0.015), &limits).ok);
        assert!(!z_score_check("chunk_norm", (0.09, 0.04), &limits).ok);
        assert!(!z_score_check("chunk_norm", (0.11, 0.015), &limits).ok);
        assert!(!z_score_check("chunk_norm", differences(&prediction, &[f32::NAN; 6]), &limits).ok);
        limits.chunk_norm_mean = None;
        assert!(z_score_check("chunk_norm", (0.09, 0.04), &limits).ok);
    }

    #[test]
    fn nan_and_missing_values_are_infinitely_far_off() {
        assert_eq!(largest_difference(&[1.0, f32::NAN], &[1.0, 2.0]), f64::INFINITY);
        assert_eq!(largest_difference(&[1.0], &[1.0, 2.0]), f64::INFINITY);
        assert_eq!(largest_difference(&[1.0, -3.0], &[1.5, 2.0]), 5.0);
        assert!(!check("chunk", f64::INFINITY, 1.0).ok);
    }
}
