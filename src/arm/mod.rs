//! The arm behind a serial port.
//!
//! | module | what |
//! | --- | --- |
//! | [`link`] | the protocol with the board as a pure machine, for live and virtual time alike |
//! | [`serial`] | the live driver: a port, a thread, and wait-free mailboxes to the control thread |
//! | [`port`] | a port seen from outside, without opening it: what it is, who may use it, who holds it |
//!
//! Opening a port can reset the board, and a reset board moves the arm: say so before calling [`SerialArm::open`].

mod clock;
mod error;
pub mod link;
pub mod port;
pub mod serial;

pub use clock::monotonic_now;
pub use error::ArmError;
pub use link::{
    CommandRefused, GuidingRefused, HandsOnArm, LinkEvent, LinkFault, LinkMachine, LinkOptions, LinkState,
    LinkStatistics, ReopenObstacle, TorqueRefused, WriteBuffer,
};
pub use serial::{ArmHandle, LinkHooks, SerialArm, SerialStatistics, TakeOverSwitch};
