//! A serial port seen from outside, without opening it: what it is, who may use it, who holds it.
//!
//! Opening a port of the arm can reset its board, and a reset board moves the arm. So everything here only looks.

mod check;
mod holders;
mod identity;
mod system;
mod usb;

pub use check::{PortFinding, PortReport, check_port};
pub use holders::{PortHolder, PortHolders};
pub(in crate::arm) use identity::PortIdentity;
pub(in crate::arm) use system::PathKind;
pub use system::SystemFiles;
pub use usb::UsbAdapter;
