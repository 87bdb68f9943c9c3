//! Letting go of a parked arm.

use firmware_protocol::danger::{ArmMayFall, DangerousCommand};

use super::{LinkEvent, LinkMachine, Phase, WriteBuffer};
use crate::types::Parked;

/// Why the torque was not switched off. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TorqueRefused {
    /// The link is not connected: the arm may have moved since it parked.
    #[error("the link to the board is not ready, so where the arm stands is not known; torque stays on")]
    NotConnected,
    /// A command is being written.
    #[error("a command is still being written; try again")]
    InFlight,
    /// The arm has not stood still for [`still_time`](super::LinkOptions::still_time).
    #[error("the arm does not stand still; torque stays on")]
    Moving,
}

impl LinkMachine {
    /// Adds T:210 cmd 0 to `out`: all servos let go. It is the last thing that this machine ever sends.
    ///
    /// G1 lets go where the arm stands. **G3 first moves the arm** to a folded pose of its own (base 0, shoulder −90°, elbow
    /// 180°, hand closed) at 53 °/s and then lets go: whoever configures it must know.
    pub fn release_torque(
        &mut self,
        _parked: Parked,
        out: &mut WriteBuffer,
        events: &mut dyn FnMut(LinkEvent),
    ) -> Result<(), TorqueRefused> {
        if !matches!(self.phase, Phase::Ready) {
            return Err(TorqueRefused::NotConnected);
        }
        if self.in_flight.is_some() || !out.is_empty() {
            return Err(TorqueRefused::InFlight);
        }
        // The credit keeps the line out of a receive ring that the last command still fills.
        if !self.frames.is_still() || !self.credit {
            return Err(TorqueRefused::Moving);
        }
        let mut bytes = [0; DangerousCommand::MAX_BYTES];
        let line = DangerousCommand::TorqueOff(ArmMayFall::acknowledged()).encode(&mut bytes);
        out.push(line).map_err(|_full| TorqueRefused::InFlight)?;
        self.credit = false;
        self.phase = Phase::TorqueReleased;
        events(LinkEvent::TorqueReleased);
        Ok(())
    }
}
