//! The live shell: the core's threads, their mailboxes, and the end of a run.
//!
//! One owner for each device: a capture thread for each camera, the link's thread for the port (see [`crate::arm`]), one thread
//! for inference, one for control. They meet in wait-free mailboxes only, as far as control is concerned.

mod camera_thread;
mod clock;
mod control_thread;
mod frame_store;
mod inference_thread;
mod session;
mod shared;
mod tick_clock;

pub use clock::now;
pub use session::{ArmPort, Session, SessionEnd, SessionError, SessionParts, SessionStatus};
pub use tick_clock::TickClock;
