//! The link to the arm as the control core sees it.

/// Where the link stands in a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkStatus {
    /// Counts the connections of a run. It grows whenever the board may have moved by itself or forgotten its goal: after a
    /// lost port and after a reset of the board.
    pub connection: u32,
    /// Whether the handshake is done and feedback flows.
    pub connected: bool,
    /// Whether a command offered now would be written at once.
    pub ready: bool,
}

impl LinkStatus {
    /// A first connection that takes a command now.
    pub const READY: Self = Self { connection: 0, connected: true, ready: true };
}
