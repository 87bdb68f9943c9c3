//! The noise that flow matching starts from, from a seed.

use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, StandardNormal};

/// Makes the noise of any chunk of a run: seed and chunk number determine every value.
///
/// ChaCha12 with the chunk's number as its stream, so a replay can start at any chunk. Normal values come from a table
/// (ziggurat), hence they do not depend on the platform's `sin` or `ln` except in the far tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoiseGenerator {
    seed: u64,
}

impl NoiseGenerator {
    /// A generator for a run.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Fills `noise` with standard normal values for the chunk with this number (from 0).
    pub fn fill(&self, chunk: u64, noise: &mut [f32]) {
        let mut generator = ChaCha12Rng::seed_from_u64(self.seed);
        generator.set_stream(chunk);
        for value in noise {
            *value = StandardNormal.sample(&mut generator);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u64, chunk: u64) -> Vec<f32> {
        let mut noise = vec![0.0; 1600];
        NoiseGenerator::new(seed).fill(chunk, &mut noise);
        noise
    }

    #[test]
    fn seed_and_chunk_determine_every_value() {
        assert_eq!(noise(7, 3), noise(7, 3));
        assert_ne!(noise(7, 3), noise(7, 4));
        assert_ne!(noise(7, 3), noise(8, 3));
    }

    #[test]
    fn the_values_are_the_same_on_every_machine() {
        // Bits, so that a change of generator or algorithm cannot pass unseen: it would change every replay.
        let bits: Vec<u32> = noise(42, 5)[..4].iter().map(|value| value.to_bits()).collect();
        assert_eq!(bits, [1_063_435_987, 3_219_929_748, 3_202_162_018, 1_043_662_843]);
    }

    #[test]
    fn the_values_are_standard_normal() {
        let values: Vec<f64> = (0..20).flat_map(|chunk| noise(1, chunk)).map(f64::from).collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let beyond_two = values.iter().filter(|value| value.abs() > 2.0).count() as f64 / count;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
        assert!((beyond_two - 0.0455).abs() < 0.006, "{beyond_two}");
    }
}
