//! A policy that fails on purpose.

use std::thread;
use std::time::Duration;

use super::{DrillClock, DrillFault, DrillKind, DrillThread};
use crate::policy::{CameraSlot, ChunkPolicy, Interrupter, PolicyError, PolicyInput, Prediction};
use crate::types::Joint;

/// How often a stalled policy looks whether it may go on.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

pub(super) struct FaultyPolicy {
    policy: Box<dyn ChunkPolicy>,
    faults: Vec<DrillFault>,
    clock: DrillClock,
}

impl FaultyPolicy {
    pub(super) fn new(policy: Box<dyn ChunkPolicy>, faults: Vec<DrillFault>, clock: DrillClock) -> Self {
        Self { policy, faults, clock }
    }
}

/// Every action of the chunk becomes this value.
fn overwrite(out: &mut Prediction, value: f64) {
    for action in &mut out.actions {
        for joint in Joint::ALL {
            action.set(joint, value);
        }
    }
}

impl ChunkPolicy for FaultyPolicy {
    fn horizon(&self) -> usize {
        self.policy.horizon()
    }

    fn noise_len(&self) -> usize {
        self.policy.noise_len()
    }

    fn slots(&self) -> &[CameraSlot] {
        self.policy.slots()
    }

    #[expect(clippy::panic, reason = "a panic is the fault that was asked for")]
    fn predict(&mut self, input: &PolicyInput<'_>, out: &mut Prediction) -> Result<(), PolicyError> {
        self.policy.predict(input, out)?;
        for fault in &self.faults {
            if !self.clock.is_active(fault) {
                continue;
            }
            match fault.kind {
                DrillKind::PolicyNan => overwrite(out, f64::NAN),
                DrillKind::PolicyInfinity => overwrite(out, f64::INFINITY),
                DrillKind::PolicySlow(delay) => thread::sleep(delay),
                DrillKind::PolicyStall => {
                    while self.clock.is_active(fault) {
                        thread::sleep(LOOK_AGAIN);
                    }
                }
                DrillKind::PolicyError => {
                    let reason = "injected by --inject policy.error".to_owned();
                    return Err(PolicyError::Inference { graph: "denoise", reason });
                }
                DrillKind::ThreadPanic(DrillThread::Inference) => {
                    panic!("injected by --inject thread.panic=inference")
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn warm_up(&mut self) -> Result<(), PolicyError> {
        self.policy.warm_up()
    }

    fn interrupter(&self) -> Option<Interrupter> {
        self.policy.interrupter()
    }
}
