//! What the lines of a board, taken together, say about it.
//!
//! One frame alone seldom tells: a bus that dies later keeps sending its last pose, and an arm at rest repeats its frame
//! for seconds. [`HealthMonitor`] is told what the host writes and what arrives, each with its time, and says at any moment
//! what is wrong. It does no I/O, allocates nothing, and has no clock of its own.
//!
//! | finding | from |
//! |---|---|
//! | [`Finding::DeadBus`] | the pose of servos never read; below 6 V without torque; all six polled ids failing |
//! | [`Finding::ServosFailed`] | `Servo ID:NN status: failed.` (mode 1) |
//! | [`Finding::SlowFeedback`] | frames slower than their own bytes take on the wire: each dead servo costs 101 ms a scan |
//! | [`Finding::NoFeedback`] | a stream that stopped |
//! | [`Finding::FrozenFeedback`], [`Finding::JointsNotMoving`] | goals that lead to no motion in the time that they need |
//! | [`Finding::LowSupply`] | G3's text, and `v` |
//! | [`Finding::TorqueOff`] | torque switches (G2, G3) |
//! | [`Finding::QueueFull`], [`Finding::InitFailed`], [`Finding::BoardReset`] | the lines of that name |
//!
//! ```
//! use core::time::Duration;
//! use firmware_protocol::health::{Finding, HealthMonitor, HealthOptions};
//! use firmware_protocol::{Command, FeedbackMode, parse_line};
//!
//! let mut monitor = HealthMonitor::new(HealthOptions::default());
//! monitor.wrote(Duration::ZERO, &Command::SetFeedbackMode(FeedbackMode::Debug));
//! let line = b"Servo ID:15 status: failed.";
//! monitor.received(Duration::from_millis(30), &parse_line(line), line.len() + 2);
//! let mut findings = monitor.findings(Duration::from_millis(40));
//! let Some(Finding::ServosFailed { servos }) = findings.next() else { panic!() };
//! assert_eq!(servos.to_string(), "15");
//! assert!(findings.next().is_none());
//! ```

mod finding;
mod generation;
mod monitor;
mod motion;
mod options;
mod pace;
mod sets;

pub use finding::Finding;
pub use generation::{DetectedFirmware, GenerationDetector};
pub use monitor::HealthMonitor;
pub use options::HealthOptions;
pub use sets::{JointSet, ServoSet};
