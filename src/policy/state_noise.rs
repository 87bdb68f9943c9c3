//! The perturbation of an observed state that control asks for at a plateau.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use crate::types::{JOINT_COUNT, JointAngles, StatePerturbation};

/// Keeps the perturbation's random numbers apart from the noise that flow matching starts from, should both have one seed.
const DOMAIN: u64 = 0x5354_4154_4550_4552;

/// The state with each joint changed by up to the amplitude, evenly distributed; seed and chunk number determine the change.
pub(super) fn perturbed(state: JointAngles, perturbation: &StatePerturbation, chunk_id: u64) -> JointAngles {
    let mut generator = ChaCha12Rng::seed_from_u64(perturbation.seed ^ DOMAIN);
    generator.set_stream(chunk_id);
    let angles = state.to_array_rad();
    let changed: [f64; JOINT_COUNT] = std::array::from_fn(|joint| {
        angles[joint] + perturbation.amplitude_rad * generator.random_range(-1.0..=1.0)
    });
    JointAngles::from_array_rad(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: StatePerturbation = StatePerturbation { amplitude_rad: 0.05, seed: 3 };

    fn changes(perturbation: StatePerturbation, chunk_id: u64) -> [f64; JOINT_COUNT] {
        perturbed(JointAngles::ZERO, &perturbation, chunk_id).to_array_rad()
    }

    #[test]
    fn seed_and_chunk_determine_the_change() {
        assert_eq!(changes(SMALL, 5), changes(SMALL, 5));
        assert_ne!(changes(SMALL, 5), changes(SMALL, 6));
        assert_ne!(changes(SMALL, 5), changes(StatePerturbation { seed: 4, ..SMALL }, 5));
    }

    #[test]
    fn every_joint_changes_by_up_to_the_amplitude() {
        let all: Vec<_> = (0..1_000).flat_map(|chunk| changes(SMALL, chunk)).collect();
        assert!(all.iter().all(|change| change.abs() <= 0.05));
        assert!(all.iter().any(|change| *change > 0.049) && all.iter().any(|change| *change < -0.049));
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        assert!(mean.abs() < 0.002, "{mean}");
        let none = StatePerturbation { amplitude_rad: 0.0, ..SMALL };
        assert_eq!(perturbed(JointAngles::from_array_rad([0.3; 6]), &none, 1).to_array_rad(), [0.3; 6]);
    }
}
