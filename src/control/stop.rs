//! Why and how a run ends.

use std::fmt;
use std::time::Duration;

use crate::types::Joint;

/// How urgent a stop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopKind {
    /// The run is over: ease to the hold.
    Normal,
    /// Something must not go on: brake to the hold and stay there.
    Protective,
    /// Somebody wants the arm to stop now: as a protective stop, and nothing covers its cause.
    Emergency,
}

/// Why a run ended. The text is what the summary's `ended` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCause {
    /// The time asked for is over.
    Duration,
    /// The recording that serves as camera has no more frames.
    SourceEnded,
    /// The last recorded action was played.
    EpisodeOver,
    /// Ctrl-C (SIGINT).
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// SIGHUP.
    HungUp,
    /// The person at the terminal declined the first motion.
    Declined,
    /// The arm did not come to rest after start-up.
    NotStill,
    /// The arm stands where the firmware cannot be commanded to, before the first motion.
    OutsideLimits {
        /// The joint that is furthest out.
        joint: Joint,
    },
    /// Somebody switched the servos' torque off; a further command would switch it on again.
    TorqueOff,
    /// The program itself failed.
    ProgramFailed,
    /// Feedback is too old.
    FeedbackStale {
        /// Age of the newest feedback.
        age: Duration,
    },
    /// No camera frame came for too long.
    FrameStale {
        /// Camera slot.
        slot: usize,
        /// Age of the newest frame; `None` when there never was one.
        age: Option<Duration>,
    },
    /// A camera goes on delivering the same picture.
    PictureFrozen {
        /// Camera slot.
        slot: usize,
    },
    /// Several chunks in a row were dropped by the gate.
    ChunksRejected {
        /// How many.
        count: u32,
    },
    /// Inference took too long.
    PolicyStalled {
        /// How long it has been running.
        waited: Duration,
    },
    /// Inference failed.
    PolicyFailed,
    /// A camera failed.
    CameraFailed,
    /// The port was lost, or a command given to the link was not written in time.
    LinkLost,
    /// The servo bus is dead: no valid angles.
    DeadBus,
    /// A joint does not follow its goal: it is blocked, overloaded, or hit something.
    NotFollowing {
        /// Which.
        joint: Joint,
    },
    /// The policy wanted to go where the arm may not be, again and again.
    WorkspaceRefused,
    /// The policy no longer moves the arm.
    Plateau,
    /// The gripper is closed and nothing goes on.
    GripperIdle,
    /// Somebody asked for an emergency stop.
    EmergencyStop,
    /// The control thread no longer ticks; whoever owns the port holds the arm.
    ControlStalled,
}

impl EndCause {
    /// Whether a run that ended so did what it was asked to.
    pub const fn is_success(self) -> bool {
        matches!(self.kind(), StopKind::Normal) && !matches!(self, Self::Declined | Self::GripperIdle)
    }

    /// The kind of stop this cause leads to.
    pub const fn kind(self) -> StopKind {
        match self {
            Self::Duration
            | Self::SourceEnded
            | Self::EpisodeOver
            | Self::Interrupted
            | Self::Terminated
            | Self::HungUp
            | Self::Declined
            | Self::Plateau
            | Self::GripperIdle => StopKind::Normal,
            Self::EmergencyStop => StopKind::Emergency,
            Self::NotStill
            | Self::OutsideLimits { .. }
            | Self::TorqueOff
            | Self::ProgramFailed
            | Self::FeedbackStale { .. }
            | Self::FrameStale { .. }
            | Self::PictureFrozen { .. }
            | Self::ChunksRejected { .. }
            | Self::PolicyStalled { .. }
            | Self::PolicyFailed
            | Self::CameraFailed
            | Self::LinkLost
            | Self::DeadBus
            | Self::NotFollowing { .. }
            | Self::WorkspaceRefused
            | Self::ControlStalled => StopKind::Protective,
        }
    }

    /// Whether the arm may be parked after it: only where the run came to its own end.
    pub const fn may_park(self) -> bool {
        matches!(
            self,
            Self::Duration | Self::SourceEnded | Self::EpisodeOver | Self::Plateau | Self::GripperIdle
        )
    }

    /// Whether a reset can follow: what failed may be in order again.
    pub const fn may_reset(self) -> bool {
        !matches!(self.kind(), StopKind::Normal)
            && !matches!(
                self,
                Self::ProgramFailed
                    | Self::PolicyFailed
                    | Self::CameraFailed
                    | Self::LinkLost
                    | Self::DeadBus
                    | Self::ControlStalled
            )
    }
}

impl fmt::Display for EndCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration => formatter.write_str("duration reached"),
            Self::SourceEnded => formatter.write_str("the camera recording ended"),
            Self::EpisodeOver => formatter.write_str("the episode is over"),
            Self::Interrupted => formatter.write_str("Ctrl-C"),
            Self::Terminated => formatter.write_str("SIGTERM"),
            Self::HungUp => formatter.write_str("SIGHUP"),
            Self::Declined => formatter.write_str("declined before the first motion"),
            Self::NotStill => formatter.write_str("the arm did not come to rest"),
            Self::OutsideLimits { joint } => write!(
                formatter,
                "{joint} stands outside what the firmware can be commanded to: switch the torque off, move it back by hand, and \
                 start again"
            ),
            Self::TorqueOff => formatter.write_str("the servos' torque was switched off by somebody else"),
            Self::ProgramFailed => formatter.write_str("the program failed"),
            Self::FeedbackStale { age } => write!(formatter, "no feedback for {} ms", age.as_millis()),
            Self::FrameStale { slot, age: Some(age) } => {
                write!(formatter, "no frame from camera slot {slot} for {} ms", age.as_millis())
            }
            Self::FrameStale { slot, age: None } => {
                write!(formatter, "camera slot {slot} never delivered a frame")
            }
            Self::PictureFrozen { slot } => write!(
                formatter,
                "camera slot {slot} goes on delivering the same picture, so the policy sees the past: unplug the camera and plug it in \
                 again"
            ),
            Self::ChunksRejected { count } => write!(formatter, "{count} chunks in a row were rejected"),
            Self::PolicyStalled { waited } => {
                write!(
                    formatter,
                    "no chunk after {} ms (on a slow machine raise max_observation_age_ms under [safety])",
                    waited.as_millis()
                )
            }
            Self::PolicyFailed => formatter.write_str("inference failed"),
            Self::CameraFailed => formatter.write_str("the camera failed"),
            Self::LinkLost => formatter.write_str("the serial link was lost"),
            Self::DeadBus => formatter.write_str("the servo bus is dead"),
            Self::NotFollowing { joint } => write!(
                formatter,
                "{joint} does not follow its goal: it is blocked, overloaded, or hit something; free it before the next run"
            ),
            Self::WorkspaceRefused => formatter.write_str(
                "the policy kept asking for poses where the arm may not be (see the gate's counters; the table, the arm itself, \
                 reach, keep-out boxes under [safety])",
            ),
            Self::Plateau => formatter.write_str("the policy no longer moves the arm"),
            Self::GripperIdle => {
                formatter.write_str("the gripper stayed closed and nothing went on: the episode counts as failed")
            },
            Self::EmergencyStop => formatter.write_str("emergency stop"),
            Self::ControlStalled => {
                formatter.write_str("the control thread stalled; the arm was brought to rest by the link")
            }
        }
    }
}
