//! What the link has to tell, and why it gives up.

use std::fmt;

use firmware_protocol::health::JointSet;
use firmware_protocol::{Feedback, Generation};

use super::GuidingRefused;
use crate::types::{FeedbackSample, Joint};

/// Something that the link noticed. `Display` gives a line for people.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum LinkEvent {
    /// Bytes arrive without valid feedback: said once for each time that the link waits for the board.
    Booting,
    /// The link's own thread panicked. All that it still does is to bring the arm to rest and to hold it.
    ThreadPanicked,
    /// The board reported a reset of its chip while the link was ready.
    BoardReset,
    /// Feedback is valid but the arm moves: said once for each time that the link waits.
    WaitingForStillness,
    /// Handshake done, feedback valid, arm still.
    Ready {
        /// As detected or as told.
        generation: Generation,
    },
    /// A measured pose.
    Feedback {
        /// For the control core.
        sample: FeedbackSample,
        /// The whole frame: loads, torque switches, supply.
        feedback: Feedback,
    },
    /// No valid feedback for [`feedback_timeout`](super::LinkOptions::feedback_timeout): no longer ready.
    FeedbackLost,
    /// The board reports a supply below 6 V although a servo holds torque; said once until it recovers.
    LowSupply,
    /// No servo has its torque on; said once until it is back. The next motion command switches it on again.
    TorqueOff,
    /// G3 threw a command away because 50 were waiting; another client is sending too.
    QueueFull,
    /// Servos were silent when the board booted; said once for each time that the link waits.
    InitFailed,
    /// The port is gone; the link looks for the same device.
    PortLost,
    /// The device is back, but cannot be opened yet; said once for each reason.
    NotReopened(ReopenObstacle),
    /// The device is open again: the handshake starts over.
    PortBack,
    /// A pose that no arm can have come to: not shown unless the next frames confirm it. Said once for each such stretch.
    ImpossibleJump {
        /// The joint that jumped furthest.
        joint: Joint,
        /// How far, rad.
        jump_rad: f64,
    },
    /// Angles and loads do not change although joints should move; said once until they do.
    FeedbackFrozen {
        /// Those that should move.
        joints: JointSet,
    },
    /// The control side is gone or hangs: the link itself brings the arm to rest.
    TakingOver,
    /// Torque was to be switched off, but the arm did not stand still or the board was away: it stays on.
    TorqueKept,
    /// All servos were told to let go; nothing more is sent.
    TorqueReleased,
    /// All servos were told to let go: somebody guides the arm by hand.
    LetGo,
    /// All servos were told to hold the arm where it stands, and it is ready again.
    HeldAgain,
    /// Servos shall let go or hold again, and wait for this; said once for each reason.
    CannotHoldYet(GuidingRefused),
    /// Servos were to let go or to hold again, and the link was not in the state for it: nothing was sent.
    GuidingRefused,
    /// The link gave up; it is the last event.
    Fault(LinkFault),
}

impl fmt::Display for LinkEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Booting => formatter.write_str("the board is booting and may move"),
            Self::ThreadPanicked => formatter.write_str(
                "the arm link's thread panicked: it brings the arm to rest. This is a bug in roarm, please report it",
            ),
            Self::BoardReset => formatter.write_str("the board was reset: it is booting and may move"),
            Self::WaitingForStillness => formatter.write_str("the arm is moving: waiting until it stands still"),
            Self::Ready { generation } => write!(formatter, "the arm is ready (firmware {generation})"),
            Self::Feedback { sample, .. } => write!(formatter, "feedback {}", sample.sequence),
            Self::FeedbackLost => formatter.write_str("feedback stopped: no longer ready"),
            Self::LowSupply => {
                formatter.write_str("the board reports less than 6 V: check the 12 V supply and its plug")
            }
            Self::TorqueOff => formatter
                .write_str("torque is off on all servos: the arm is limp, and the next command switches torque on"),
            Self::QueueFull => formatter.write_str(
                "the board threw a command away (queue full): another client (web page, ESP-NOW) is commanding it too",
            ),
            Self::InitFailed => formatter.write_str(
                "servos were silent when the board booted: if 12 V came on after USB, restart the board (RST button)",
            ),
            Self::PortLost => formatter.write_str("the serial port is gone: waiting for the same device to come back"),
            Self::NotReopened(obstacle) => obstacle.fmt(formatter),
            Self::PortBack => formatter.write_str("the serial port is back: greeting the board again"),
            Self::ImpossibleJump { joint, jump_rad } => write!(
                formatter,
                "feedback shows {joint} {:.0}° away within one frame, which no servo can do: passed over unless it stays \
                 there (a bad servo cable?)",
                jump_rad.to_degrees()
            ),
            Self::FeedbackFrozen { joints } => {
                write!(formatter, "feedback is frozen while {joints} should move: is the servo bus cable loose?")
            }
            Self::TakingOver => formatter
                .write_str("the control side is gone: the link brings the arm to rest and holds it"),
            Self::TorqueKept => formatter
                .write_str("torque stays on: the arm did not stand still, or the link was not ready"),
            Self::TorqueReleased => formatter.write_str("torque is off: the arm is limp"),
            Self::LetGo => formatter.write_str("torque is off: the arm is in your hands"),
            Self::CannotHoldYet(reason) => write!(formatter, "waiting: {reason}"),
            Self::GuidingRefused => {
                formatter.write_str("the link was interrupted: the servos were not told anything")
            }
            Self::HeldAgain => formatter.write_str("torque is on: the arm holds where it stands"),
            Self::Fault(fault) => fault.fmt(formatter),
        }
    }
}

/// What keeps a port that is back from being opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReopenObstacle {
    /// Another program was faster.
    InUse,
    /// Its permissions are not set (yet).
    NotPermitted,
    /// An adapter of its kind is there, but at another USB socket, and its serial number does not tell it from others.
    Ambiguous,
    /// The system refuses it.
    Other,
}

impl fmt::Display for ReopenObstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::InUse => {
                "the serial port is back, but another program has it open (ModemManager and brltty probe new ports)"
            }
            Self::NotPermitted => "the serial port is back, but this user may not open it yet",
            Self::Ambiguous => {
                "an adapter of the arm's kind is there, but not at the arm's USB socket, and its serial number tells nothing: \
                 plug it in where it was"
            }
            Self::Other => "the serial port is back, but cannot be opened yet",
        })
    }
}

/// Why the link gave up. Each message names the likely causes and the fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkFault {
    /// Not one byte since the port was opened.
    #[error(
        "the board sends nothing: is the cable in the board's LADAR socket instead of the one marked USB? is 12 V on? is \
         this the arm's port at all? A board that is just homing is silent too: then try again in 10 s"
    )]
    NoBytes,
    /// Bytes, but no T:1051, until the boot time-out.
    #[error(
        "the board talks but sends no feedback (T:1051) that can be used: is the firmware a RoArm-M3's? does its servo bus \
         answer (12 V on, all servo plugs in)? does another program switch the feedback mode (T:605)? Restart the board and \
         try again"
    )]
    NoFeedback,
    /// Feedback is valid, but the arm never stood still until the boot time-out.
    #[error(
        "the arm does not stand still: is another client (web page, ESP-NOW leader, a mission) moving it? Stop that, hold the \
         arm still, and try again"
    )]
    NeverStill,
    /// The servos behind the feedback were never read, or are without supply.
    #[error(
        "the servo bus is dead (no servo answers; the pose is not real): switch on 12 V, check the servo cable at the base, \
         then restart the board, since it reads its servos only when 12 V is on before it boots"
    )]
    DeadBus,
    /// The generation that was configured is not the one on the wire.
    #[error(
        "the board's feedback is not that of the configured firmware generation: leave out `firmware` \
         (--firmware, or the key in [arm.NAME]) to detect it, or set the right one (g1 and g1b send 16 or 17 keys, g3 sends 24)"
    )]
    WrongGeneration,
    /// The port is gone (end of file or an I/O error), and did not come back in time.
    #[error(
        "the serial link is lost: the cable was pulled, the adapter was reset, or the emulator ended; plug it in again"
    )]
    Lost,
    /// What came back does not speak as the board before it.
    #[error(
        "another board answers at the arm's port: its feedback has other keys than before. Was the arm exchanged, or its \
         firmware? Start again"
    )]
    AnotherBoard,
    /// The control side ended or hung without releasing the arm.
    #[error(
        "the control side is gone without having released the arm: the link brought it to rest, and it holds there. This is \
         a bug in roarm, please report it"
    )]
    TakenOver,
    /// The link's own thread ended without saying why.
    #[error("the arm link thread ended unexpectedly: this is a bug in roarm, please report it")]
    ThreadEnded,
}

impl LinkFault {
    const ALL: [Self; 9] = [
        Self::NoBytes,
        Self::NoFeedback,
        Self::NeverStill,
        Self::DeadBus,
        Self::WrongGeneration,
        Self::Lost,
        Self::AnotherBoard,
        Self::TakenOver,
        Self::ThreadEnded,
    ];

    /// The fault as a number for an atomic; 0 is none.
    pub(in crate::arm) fn code(self) -> u8 {
        self as u8 + 1
    }

    /// The fault of a [`LinkFault::code`].
    pub(in crate::arm) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code).checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_fault_has_a_code_and_a_message_with_a_fix() {
        assert_eq!(LinkFault::from_code(0), None);
        for fault in LinkFault::ALL {
            assert_eq!(LinkFault::from_code(fault.code()), Some(fault));
            let message = fault.to_string();
            assert!(message.len() > 60 && !message.contains("  "), "{message}");
        }
        assert_eq!(LinkFault::from_code(LinkFault::ALL.len() as u8 + 1), None);
    }
}
