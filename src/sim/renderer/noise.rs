//! Noise of the picture sensor.

/// Adds noise that depends on seed and picture number only.
#[derive(Clone, Debug)]
pub(super) struct SensorNoise {
    seed: u64,
    /// The normal distribution in 256 equally likely steps.
    steps: [i16; 256],
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl SensorNoise {
    /// Normal noise of the given standard deviation, in steps of 8 bits.
    pub(super) fn new(seed: u64, sigma: f32) -> Self {
        let steps = std::array::from_fn(|index| {
            let share = (index as f32 + 0.5) / 256.0;
            // Tukey's lambda distribution at 0.14: the normal quantile to 1 %
            let quantile = 4.91 * (share.powf(0.14) - (1.0 - share).powf(0.14));
            (quantile * sigma).round() as i16
        });
        Self { seed, steps }
    }

    /// Adds the noise of picture `sequence`.
    pub(super) fn add(&self, sequence: u64, rgb: &mut [u8]) {
        let mut state = finalise(self.seed ^ finalise(sequence.wrapping_add(GOLDEN)));
        for block in rgb.chunks_mut(8) {
            state = state.wrapping_add(GOLDEN);
            for (value, random) in block.iter_mut().zip(finalise(state).to_le_bytes()) {
                *value = (i16::from(*value) + self.steps[usize::from(random)]).clamp(0, 255) as u8;
            }
        }
    }
}

/// The output function of SplitMix64.
const fn finalise(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_its_spread_and_no_bias() {
        let mut picture = vec![128_u8; 300_000];
        SensorNoise::new(5, 1.3).add(0, &mut picture);
        let count = picture.len() as f64;
        let mean = picture.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
        let variance = picture.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
        assert!((mean - 128.0).abs() < 0.02, "mean {mean}");
        // rounding to whole steps adds 1/12
        assert!((variance - (1.3 * 1.3 + 1.0 / 12.0)).abs() < 0.1, "variance {variance}");
    }

    #[test]
    fn each_picture_has_its_own() {
        let noisy = |seed, sequence| {
            let mut picture = [100_u8; 4096];
            SensorNoise::new(seed, 1.3).add(sequence, &mut picture);
            picture
        };
        assert_eq!(noisy(1, 4), noisy(1, 4));
        assert!(noisy(1, 4) != noisy(1, 5) && noisy(1, 4) != noisy(2, 4));
    }
}
