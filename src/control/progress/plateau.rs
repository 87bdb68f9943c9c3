//! An arm that no longer moves although the policy is in charge.

use std::time::Duration;

use crate::types::{JointAngles, StillnessDetector, Timestamp};

/// When an arm counts as having come to a plateau, and what follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    /// No joint moves further than this, radians, from where the window began ...
    pub threshold_rad: f64,
    /// ... for this long.
    pub window: Duration,
    /// What follows.
    pub action: PlateauAction,
}

/// What follows a plateau.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PlateauAction {
    /// It is counted and shown.
    Warn,
    /// The state in the next observation is perturbed, once for each plateau: it may lead the policy out of a fixed point.
    Noise {
        /// Greatest change of each joint, radians.
        amplitude_rad: f64,
        /// The same seed and chunk number give the same perturbation.
        seed: u64,
    },
    /// The run ends.
    Stop,
}

/// Finds plateaus.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlateauDetector {
    settings: Plateau,
    stillness: StillnessDetector,
}

impl PlateauDetector {
    pub(super) const fn new(settings: Plateau) -> Self {
        Self { settings, stillness: StillnessDetector::new(settings.window, settings.threshold_rad) }
    }

    pub(super) const fn forget(&mut self) {
        *self = Self::new(self.settings);
    }

    /// Takes a measured pose; the action that is due. A plateau that lasts is found again after each further window.
    pub(super) fn observe(&mut self, angles: &JointAngles, played: Timestamp) -> Option<PlateauAction> {
        let found = self.stillness.observe(angles, played);
        if found {
            self.forget();
        }
        found.then_some(self.settings.action)
    }
}
