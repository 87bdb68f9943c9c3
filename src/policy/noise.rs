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
