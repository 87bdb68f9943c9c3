//! A change of the observed state that is asked for on purpose.

/// Asks the policy's side to change the state that the policy sees, a little and at random: an arm at a fixed point of its policy
/// may leave it so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StatePerturbation {
    /// Greatest change of each joint, radians.
    pub amplitude_rad: f64,
    /// Seed; together with the chunk's number it determines the change.
    pub seed: u64,
}
