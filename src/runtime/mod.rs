//! The live shell: the core's threads, their mailboxes, and the end of a run.
//!
//! One owner for each device: a capture thread for each camera, the link's thread for the port (see [`crate::arm`]), one thread
//! for inference, one for control, one that watches control, and one that writes the run log where there is one. They meet in wait-free
//! mailboxes only, as far as control is concerned.

mod arm_port;
mod camera_thread;
mod clock;
mod control_thread;
mod frame_store;
mod inference_thread;
mod live_summary;
mod punctual_clock;
mod real_time;
mod recorder;
mod session;
mod shared;
mod teach;
mod tick_clock;
mod tick_times;
mod watchdog;
mod watched;

pub use arm_port::{ArmPort, HoldGuardian};
pub use clock::{SessionClock, SessionClocks, SystemClock, now, sleep_until};
pub use live_summary::LiveSummary;
pub use punctual_clock::PunctualClock;
pub use real_time::{RealTimeDenial, RealTimeReport, RealTimeSettings, make_real_time};
pub use recorder::{ControlQueue, ControlTap, Recording, RecordingReport, bare_control_queue};
pub use session::{Session, SessionEnd, SessionError, SessionParts, SessionStatus};
pub use teach::{Steer, TaughtEpisode, TeachError, TeachParts, TeachSession, TeachStatus};
pub use tick_clock::TickClock;
