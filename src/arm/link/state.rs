//! Where the link stands, as a value for those who watch it.

use super::LinkFault;
use crate::types::Timestamp;

/// Where the link stands with the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Waiting for the first valid feedback of an arm that stands still.
    Connecting {
        /// Since when.
        since: Timestamp,
    },
    /// The handshake is done and feedback flows.
    Ready,
    /// The port, the feedback or the board was lost, and is waited for. Nothing of the time before will be sent.
    Reconnecting {
        /// When it was lost.
        since: Timestamp,
    },
    /// Torque was switched off after parking; nothing more is sent.
    TorqueReleased,
    /// Somebody guides the arm by hand; no goal is sent.
    HandGuided,
    /// Gave up, or took the arm over; nothing that is offered is sent any more.
    Failed(LinkFault),
}

impl LinkState {
    /// Kind and fault as numbers for an atomic; the time travels apart.
    pub(in crate::arm) fn codes(self) -> (u8, u8) {
        match self {
            Self::Connecting { .. } => (0, 0),
            Self::Ready => (1, 0),
            Self::Reconnecting { .. } => (2, 0),
            Self::TorqueReleased => (3, 0),
            Self::Failed(fault) => (4, fault.code()),
            Self::HandGuided => (5, 0),
        }
    }

    /// The state of [`LinkState::codes`].
    pub(in crate::arm) fn from_codes((kind, fault): (u8, u8), since: Timestamp) -> Self {
        match (kind, LinkFault::from_code(fault)) {
            (1, _) => Self::Ready,
            (2, _) => Self::Reconnecting { since },
            (3, _) => Self::TorqueReleased,
            (4, Some(fault)) => Self::Failed(fault),
            (5, _) => Self::HandGuided,
            _ => Self::Connecting { since },
        }
    }

    /// Since when it has been waiting.
    pub(in crate::arm) const fn since(self) -> Option<Timestamp> {
        match self {
            Self::Connecting { since } | Self::Reconnecting { since } => Some(since),
            Self::Ready | Self::TorqueReleased | Self::HandGuided | Self::Failed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_survives_its_codes() {
        let since = Timestamp::from_nanos(7);
        for state in [
            LinkState::Connecting { since },
            LinkState::Ready,
            LinkState::Reconnecting { since },
            LinkState::TorqueReleased,
            LinkState::HandGuided,
            LinkState::Failed(LinkFault::Lost),
            LinkState::Failed(LinkFault::TakenOver),
        ] {
            assert_eq!(LinkState::from_codes(state.codes(), since), state);
        }
    }
}
