//! What can be wrong.

use core::fmt;
use core::time::Duration;

use super::sets::{JointSet, ServoSet};

/// Something wrong with the board, its servos or its supply. `Display` gives the numbers, the cause and the fix.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Finding {
    /// No servo answers; the pose in the frames is not real.
    DeadBus,
    /// These servos do not answer, by the board's own words.
    ServosFailed {
        /// Which.
        servos: ServoSet,
    },
    /// Frames come later than their bytes need on the wire.
    SlowFeedback {
        /// From one frame to the next, or from T:105 to its answer.
        period: Duration,
        /// What it should be.
        expected: Duration,
        /// Servos that do not answer, if that is the reason: 101 ms each. For answers to T:105 at most this many.
        dead_servos: u8,
    },
    /// The stream stopped.
    NoFeedback {
        /// Time since the last frame, or since the stream was asked for.
        silence: Duration,
    },
    /// Nothing in the frames changes although these joints should be moving.
    FrozenFeedback {
        /// Which should move.
        joints: JointSet,
    },
    /// These joints do not move to their goals; the feedback itself is alive.
    JointsNotMoving {
        /// Which.
        joints: JointSet,
    },
    /// The supply is low.
    LowSupply {
        /// As reported by the last frame; `None` if only the board's text said so.
        volt: Option<f64>,
    },
    /// Servos without torque, or whose switch cannot be read.
    TorqueOff {
        /// Which.
        joints: JointSet,
    },
    /// G3 threw commands away because 50 were waiting.
    QueueFull,
    /// Servos were silent when the board booted.
    InitFailed,
    /// The board was reset and is booting.
    BoardReset,
}

impl Finding {
    /// The likely cause, without numbers.
    #[must_use]
    pub const fn cause(&self) -> &'static str {
        match self {
            Self::DeadBus => {
                "the servos are without 12 V or their cable is off: no servo answers, the pose is not real"
            }
            Self::ServosFailed { .. } => "these servos do not answer: a plug is loose, or a servo is broken",
            Self::SlowFeedback { .. } => {
                "servos that do not answer cost the board 101 ms each in every scan; without any, the board is blocked by \
                 other commands"
            }
            Self::NoFeedback { .. } => {
                "the board is blocked (a command that waits, a hang), was reset, or another client switched its feedback mode"
            }
            Self::FrozenFeedback { .. } => {
                "the servos died after their last good reading, and the board repeats it without a mark"
            }
            Self::JointsNotMoving { .. } => {
                "something is in the way, the servo is overloaded or does not answer, or its torque limit is too low"
            }
            Self::LowSupply { .. } => "the board runs on USB power alone, or the 12 V supply is weak",
            Self::TorqueOff { .. } => {
                "torque was switched off (T:210, T:0 on G1), or these servos do not answer"
            }
            Self::QueueFull => {
                "commands come faster than the board's loop takes them; another client may be sending too"
            }
            Self::InitFailed => "12 V came on after the board had started, or a servo is missing",
            Self::BoardReset => {
                "power failed, the reset line was pulsed (opening the port can do it), or T:600 was sent"
            }
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::DeadBus => "switch 12 V on, check the servo cable at the base, then restart the board",
            Self::ServosFailed { .. } => "switch off, check the plugs of these servos, restart the board",
            Self::SlowFeedback { .. } => {
                "stop commanding; ask for debug text (T:605 cmd 1) to learn which servos fail"
            }
            Self::NoFeedback { .. } => {
                "stop commanding; send T:605 again, and restart the board if it stays silent"
            }
            Self::FrozenFeedback { .. } => {
                "stop commanding, check 12 V and the servo cable, restart the board"
            }
            Self::JointsNotMoving { .. } => "stop commanding, free the joint, then command the measured pose",
            Self::LowSupply { .. } => "switch the 12 V supply on, check its plug and its rating",
            Self::TorqueOff { .. } => {
                "support the arm; the next motion command, or T:210 cmd 1, switches torque on"
            }
            Self::QueueFull => "send at most one command for each frame, and stop the other client",
            Self::InitFailed => "with 12 V on and all plugs in, restart the board: T:100 refuses until then",
            Self::BoardReset => {
                "keep clear: the arm drives home within seconds; send the modes (T:605, T:301) again"
            }
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeadBus => formatter.write_str("the servo bus is dead")?,
            Self::ServosFailed { servos } => write!(formatter, "servos {servos} failed")?,
            Self::SlowFeedback { period, expected, dead_servos } => write!(
                formatter,
                "feedback takes {} ms instead of {} ms, as with {dead_servos} dead servos",
                period.as_millis(),
                expected.as_millis()
            )?,
            Self::NoFeedback { silence } => write!(formatter, "no feedback for {} ms", silence.as_millis())?,
            Self::FrozenFeedback { joints } => {
                write!(formatter, "feedback is frozen while {joints} should move")?
            }
            Self::JointsNotMoving { joints } => write!(formatter, "{joints} should move and do not")?,
            Self::LowSupply { volt: Some(volt) } => write!(formatter, "the supply is {volt:.2} V")?,
            Self::LowSupply { volt: None } => formatter.write_str("the board reports a low supply")?,
            Self::TorqueOff { joints } => write!(formatter, "no torque on {joints}")?,
            Self::QueueFull => formatter.write_str("the board's command queue is full")?,
            Self::InitFailed => formatter.write_str("servos were silent when the board booted")?,
            Self::BoardReset => formatter.write_str("the board was reset")?,
        }
        write!(formatter, ": {}. {}", self.cause(), self.fix())
    }
}
