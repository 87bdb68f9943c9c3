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
    /// Nothing more will be commanded.
    Ended(EndCause),
}

/// The first motion, before it happens. It is withdrawn when the arm moves meanwhile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StartProposal {
    /// Counts the proposals of a run, from 1: consent is to one of them.
    pub number: u32,
    /// Measured pose.
    pub from: JointAngles,
    /// Start pose.
    pub to: JointAngles,
    /// How long the way takes.
    pub duration: Duration,
}
