//! One chunk's guidance, from the request to the corrected flow steps.

use serde::Serialize;

use super::{correct_velocity, guidance_weight, last_step_share, prefix_weights};
use crate::policy::PolicyError;
use crate::types::{JOINT_COUNT, RealTimeChunking, ShortLeftOver};

/// What the new chunk is guided by.
#[derive(Clone, Copy, Debug)]
pub struct Guidance<'a> {
    /// The previous chunk's actions that had not been played when the observation was taken: z-scores, as the policy gave them
    /// ([`Prediction::z_scores`](crate::policy::Prediction)), the next one first. At most a chunk; none means no guidance.
    pub previous_actions: &'a [[f32; JOINT_COUNT]],
    /// How many of them will have been played when the new chunk is ready. Beyond the horizon it counts as the horizon.
    pub inference_delay: usize,
    /// Schedule, horizon and limit.
    pub settings: RealTimeChunking,
}

/// How close a guided chunk stayed to the actions that it had to keep: those of weight 1, which are played while it is computed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GuidanceReport {
    /// Actions before the delay, and before the horizon and the end of what guides.
    pub kept_actions: usize,
    /// The largest distance of one of their joints from the previous chunk, z-score.
    pub largest_deviation: f32,
    /// What it cannot exceed, rounding aside: the policy's own disagreement in the last flow step times
    /// [`last_step_share`](super::last_step_share).
    pub bound: f32,
}

/// Buffers of the guidance, made once an engine, and what the current chunk filled in.
#[derive(Debug)]
pub(in crate::policy) struct PreparedGuidance {
    /// (horizon, padded dimension).
    previous: Vec<f32>,
    /// (horizon).
    weights: Vec<f32>,
    dimension: usize,
    steps: usize,
    max_guidance_weight: f32,
    kept_actions: usize,
    /// The policy's largest disagreement with the kept actions in the last step that was corrected.
    disagreement: f32,
}

impl PreparedGuidance {
    pub(in crate::policy) fn new(horizon: usize, dimension: usize, steps: usize) -> Self {
        Self {
            previous: vec![0.0; horizon * dimension],
            weights: vec![0.0; horizon],
            dimension,
            steps,
            max_guidance_weight: 0.0,
            kept_actions: 0,
            disagreement: 0.0,
        }
    }

    /// Takes over what guides the next chunk.
    pub(in crate::policy) fn load(&mut self, guidance: &Guidance<'_>) -> Result<(), PolicyError> {
        let Guidance { previous_actions, inference_delay, settings } = *guidance;
        self.check(previous_actions, settings.max_guidance_weight)?;
        let end = match settings.short_left_over {
            ShortLeftOver::ShortenHorizon => settings.execution_horizon.min(previous_actions.len()),
            ShortLeftOver::HoldLast if previous_actions.is_empty() => 0,
            ShortLeftOver::HoldLast => settings.execution_horizon.min(self.weights.len()),
        };
        prefix_weights(settings.schedule, inference_delay, end, &mut self.weights);
        // Padded dimensions stay 0, which is what they were in training.
        let held = previous_actions.last().into_iter().cycle();
        for (row, action) in
            self.previous.chunks_exact_mut(self.dimension).zip(previous_actions.iter().chain(held))
        {
            row[..JOINT_COUNT].copy_from_slice(action);
        }
        self.max_guidance_weight = settings.max_guidance_weight;
        self.kept_actions = inference_delay.min(end);
        self.disagreement = 0.0;
        Ok(())
    }

    fn check(&self, previous: &[[f32; JOINT_COUNT]], max_guidance_weight: f32) -> Result<(), PolicyError> {
        let refused = |problem: String| Err(PolicyError::Guidance { problem });
        if previous.len() > self.weights.len() {
            return refused(format!(
                "the previous chunk has {} actions left, this policy's chunks have {}: it belongs to another policy",
                previous.len(),
                self.weights.len()
            ));
        }
        if !(max_guidance_weight.is_finite() && max_guidance_weight > 0.0) {
            return refused(format!(
                "max_guidance_weight is {max_guidance_weight}, expected a number above 0"
            ));
        }
        match previous.as_flattened().iter().position(|value| !value.is_finite()) {
            Some(index) => refused(format!(
                "action {} of the previous chunk is {}: that chunk cannot be continued",
                index / JOINT_COUNT,
                previous.as_flattened()[index]
            )),
            None => Ok(()),
        }
    }

    /// Corrects the velocity of the flow step at `time`.
    pub(in crate::policy) fn correct(&mut self, velocity: &mut [f32], noisy: &[f32], time: f64) {
        self.disagreement = self.largest_distance(|index| noisy[index] - time as f32 * velocity[index]);
        let weight = guidance_weight(time, self.max_guidance_weight);
        correct_velocity(velocity, noisy, &self.previous, &self.weights, self.dimension, time, weight);
    }

    /// How the finished chunk (horizon, padded dimension) compares with what it had to keep.
    pub(in crate::policy) fn report(&self, chunk: &[f32]) -> GuidanceReport {
        GuidanceReport {
            kept_actions: self.kept_actions,
            largest_deviation: self.largest_distance(|index| chunk[index]),
            bound: self.disagreement * last_step_share(self.steps, self.max_guidance_weight),
        }
    }

    /// Of the kept actions' joints from the previous chunk. NaN is infinitely far.
    fn largest_distance(&self, value: impl Fn(usize) -> f32) -> f32 {
        let joints = (0..self.kept_actions)
            .flat_map(|action| action * self.dimension..action * self.dimension + JOINT_COUNT);
        let distances = joints.map(|index| (value(index) - self.previous[index]).abs());
        distances.fold(0.0, |largest, d| if d.is_nan() { f32::INFINITY } else { largest.max(d) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::types::PrefixAttentionSchedule;

    const LEFT_OVER: [[f32; 6]; 2] = [[1.0; 6], [2.0; 6]];

    fn guidance(previous_actions: &[[f32; 6]], short_left_over: ShortLeftOver) -> Guidance<'_> {
        let settings = RealTimeChunking {
            schedule: PrefixAttentionSchedule::Ones,
            execution_horizon: 3,
            short_left_over,
            ..RealTimeChunking::default()
        };
        Guidance { previous_actions, inference_delay: 1, settings }
    }

    fn first_joint(prepared: &PreparedGuidance) -> Vec<f32> {
        prepared.previous.chunks(8).map(|row| row[0]).collect()
    }

    #[test]
    fn a_short_left_over_is_held_or_shortens_the_horizon() {
        let mut prepared = PreparedGuidance::new(5, 8, 10);
        prepared.load(&guidance(&LEFT_OVER, ShortLeftOver::HoldLast)).unwrap();
        assert_eq!(prepared.weights, [1.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!(first_joint(&prepared), [1.0, 2.0, 2.0, 2.0, 2.0]);
        prepared.load(&guidance(&LEFT_OVER, ShortLeftOver::ShortenHorizon)).unwrap();
        assert_eq!(prepared.weights, [1.0, 1.0, 0.0, 0.0, 0.0]);
        assert!(prepared.previous.chunks(8).all(|row| row[6..] == [0.0, 0.0]));
    }

    #[test]
    fn nothing_left_over_guides_nothing() {
        let mut prepared = PreparedGuidance::new(5, 8, 10);
        for short_left_over in [ShortLeftOver::HoldLast, ShortLeftOver::ShortenHorizon] {
            prepared.load(&guidance(&LEFT_OVER, short_left_over)).unwrap();
            prepared.load(&guidance(&[], short_left_over)).unwrap();
            assert_eq!(prepared.weights, [0.0; 5]);
            assert_eq!(prepared.report(&[9.0; 40]).kept_actions, 0);
        }
    }

    #[test]
    fn what_cannot_guide_is_refused_with_its_cause() {
        let mut prepared = PreparedGuidance::new(5, 8, 10);
        let mut refusal = |guidance: Guidance<'_>| prepared.load(&guidance).unwrap_err().to_string();
        let long = [[0.0; 6]; 6];
        assert!(refusal(guidance(&long, ShortLeftOver::HoldLast)).contains("6 actions left"));
        let mut broken = LEFT_OVER;
        broken[1][4] = f32::NAN;
        assert!(refusal(guidance(&broken, ShortLeftOver::HoldLast)).contains("action 1"));
        for weight in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            let mut guidance = guidance(&LEFT_OVER, ShortLeftOver::HoldLast);
            guidance.settings.max_guidance_weight = weight;
            assert!(refusal(guidance).contains("max_guidance_weight"), "{weight}");
        }
    }

    #[test]
    fn a_policy_that_insists_on_other_actions_is_bent_within_the_bound() {
        // Its velocity always points straight at 5, so its disagreement never shrinks by itself.
        let mut prepared = PreparedGuidance::new(5, 8, 10);
        prepared.load(&guidance(&LEFT_OVER, ShortLeftOver::HoldLast)).unwrap();
        let mut chunk = [0.3_f32; 40];
        for step in 0..10 {
            let time = 1.0 - f64::from(step) / 10.0;
            let mut velocity = chunk.map(|value| (value - 5.0) / time as f32);
            prepared.correct(&mut velocity, &chunk, time);
            chunk.iter_mut().zip(velocity).for_each(|(value, velocity)| *value -= 0.1 * velocity);
        }
        let report = prepared.report(&chunk);
        assert_eq!(report.kept_actions, 1);
        assert!((report.bound - 4.0 * 4.0 / 45.0).abs() < 1e-4, "{report:?}");
        assert!((report.largest_deviation - report.bound).abs() < 1e-4, "the bound is attained: {report:?}");
        assert!((chunk[32] - 5.0).abs() < 1e-5, "a free action goes where the policy wants it");
    }
}
