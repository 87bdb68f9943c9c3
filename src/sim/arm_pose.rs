//! The pose of the simulated arm, shared between the board and the camera that looks at it.

use std::sync::{Arc, Mutex, PoisonError};

use calibration::JointAngles;

/// Where the simulated arm stands now. Clones share one pose; only the threads of board and camera touch it, hence the lock.
#[derive(Clone, Debug, Default)]
pub struct ArmPose(Arc<Mutex<JointAngles>>);

impl ArmPose {
    /// A shared pose that starts at `angles`.
    pub fn new(angles: JointAngles) -> Self {
        Self(Arc::new(Mutex::new(angles)))
    }

    /// The pose now (joint frame, radians).
    pub fn get(&self) -> JointAngles {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the arm.
    pub fn set(&self, angles: JointAngles) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = angles;
    }
}
