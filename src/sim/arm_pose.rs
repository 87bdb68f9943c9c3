//! The pose of the simulated arm and the boxes around it, shared between the board and the camera that looks at it.

use std::sync::{Arc, Mutex, PoisonError};

use calibration::JointAngles;

use super::cell::Outcome;
use super::renderer::CellState;
use super::scene::Scene;

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

/// Arm and boxes as they stand now, and what has come of the instruction.
#[derive(Clone, Debug)]
pub struct SharedCell(Arc<Mutex<(CellState, Option<Outcome>)>>);

impl SharedCell {
    /// The boxes of a scene and the arm at `angles`.
    pub fn new(scene: &Scene, angles: JointAngles) -> Self {
        Self(Arc::new(Mutex::new((CellState { angles, boxes: scene.boxes }, None))))
    }

    /// What a camera sees now.
    pub fn seen(&self) -> CellState {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// What has come of the instruction so far.
    pub fn outcome(&self) -> Option<Outcome> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// Moves arm and boxes.
    pub fn set(&self, seen: CellState, outcome: Option<Outcome>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (seen, outcome);
    }
}
