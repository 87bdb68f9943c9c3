//! Where a run stands.

use std::time::Duration;

use super::stop::EndCause;
use crate::types::JointAngles;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    /// Waiting for valid, still feedback.
    Settling,
    /// The way to the start pose is known and waits for consent.
    AwaitingGo(StartProposal),
    /// On the way to the start pose.
    Ramping,
    /// The policy moves the arm.
    Running,
    /// Coming to rest.
    Easing(EndCause),
    /// At rest, holding the last written goal.
    Holding(EndCause),
    /// On the way to the park pose.
    Parking(EndCause),
    /// Latched: at rest, holding, until somebody resets it.
    Stopped(EndCause),
    /// The link is lost; the arm holds by itself what was written last.
    Disconnected,
    /// Nothing more will be commanded.
    Ended(EndCause),
}

impl Phase {
    /// A word for people.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Settling => "settling",
            Self::AwaitingGo(_) => "waiting",
            Self::Ramping => "ramping",
            Self::Running => "running",
            Self::Easing(_) => "easing",
            Self::Holding(_) => "holding",
            Self::Parking(_) => "parking",
            Self::Stopped(_) => "stopped",
            Self::Disconnected => "disconnected",
            Self::Ended(_) => "ended",
        }
    }
}

/// The first motion, before it happens. It is withdrawn when the arm moves meanwhile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StartProposal {
    /// Counts the proposals of a run, from 1: consent is to one of them.
    pub number: u32,
    /// Measured pose: where the arm stands.
    pub measured: JointAngles,
    /// The first goal: the measured pose, or, where an earlier goal is still held, that goal. An arm sags a few degrees below
    /// its goal, so that a goal at the measured pose would let it sink further each time.
    pub from: JointAngles,
    /// Start pose, or where the policy was.
    pub to: JointAngles,
    /// How long the way takes.
    pub duration: Duration,
    /// Whether `to` is where the policy was when the link was lost, and not a start pose.
    pub resumes: bool,
}
