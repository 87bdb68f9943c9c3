//! The link to the board as a pure machine: bytes and time in, bytes and events out. No port, no clock, no thread.
//!
//! The live driver ([`super::serial`]) and the virtual-time shell drive the same [`LinkMachine`].
//!
//! ```text
//!            handshake sent, frames of one shape, arm still for 1 s
//!   Waiting ────────────────────────────────────────────────────────▶ Ready ── release_torque ──▶ TorqueReleased
//!    ▲ ▲  │                                                           │ │ │
//!    │ │  └─ no byte 3 s · no feedback 30 s · dead bus ──▶ Failed      │ │ └── take_over ──▶ TakingOver ──▶ Failed
//!    │ └────────────────── no feedback for 1 s, or a board reset ──────┘ │
//!    └─ port_opened ── PortAway ◀────────── port_lost ───────────────────┘
//!                         └─ reconnect_timeout ──▶ Failed
//! ```
//!
//! **Connections** are counted. The number grows whenever the board may have moved by itself or forgotten its goal: when the
//! port is lost, when the board resets, when feedback stops. What was queued, begun or reported before belongs to the old
//! number and is thrown away; [`LinkMachine::status`] shows the new one to the control core, which starts from the measured
//! pose again.
//!
//! **Pacing.** In streaming mode each T:1051 proves one pass of the board's loop, and with it that its receive ring (256
//! bytes, G1) or its queue (50 commands, G3) was served. So one command is written for each frame received since the last
//! one: at most two commands (248 bytes) are ever unread on the board, and no queue builds up. Frames that arrive in a lump
//! are one credit, not many.
//!
//! **Bytes that the machine can send** are a line feed, T:605 cmd 2, T:301 mode 0 and T:102 with every field, and at the very
//! end, once, T:210 cmd 0, for which [`LinkMachine::release_torque`] asks for the control core's proof that the arm is
//! parked. For guiding by hand there are T:210 cmd 0, for which [`LinkMachine::let_go`] asks for a person's word, and T:210 cmd 1. Nothing here can encode T:0, T:100, T:103, T:104 or T:123.

mod connection;
mod event;
mod hand_guiding;
mod handshake;
mod hold;
mod options;
mod plausibility;
mod receive;
mod state;
mod statistics;
mod take_over;
mod torque;
mod write_buffer;

#[cfg(test)]
mod board_tests;
#[cfg(test)]
mod hand_guiding_tests;
#[cfg(test)]
mod scripted_tests;
#[cfg(test)]
mod supervision_tests;
#[cfg(test)]
mod take_over_tests;
#[cfg(test)]
mod test_bench;
#[cfg(test)]
mod test_rig;

pub use event::{LinkEvent, LinkFault, ReopenObstacle};
pub use hand_guiding::{GuidingRefused, HandsOnArm};
pub use options::LinkOptions;
pub use state::LinkState;
pub use statistics::LinkStatistics;
pub use torque::TorqueRefused;
pub use write_buffer::{WriteBuffer, WriteBufferFull};

use std::time::Duration;

use firmware_protocol::health::{HealthMonitor, HealthOptions};
use firmware_protocol::{
    Command, FeedbackShape, FirmwareAngles, Generation, GoalAngles, LineSplitter, ServoAcceleration,
    ServoSpeed,
};

use crate::types::{CommandWritten, JointAngles, JointCommand, Timestamp};
use hand_guiding::Guiding;
use handshake::Handshake;
use hold::WrittenGoals;
use receive::FrameWatch;
use statistics::RateCounter;
use take_over::TakeOver;

/// One byte on the wire: 115200 baud, ten bits a byte.
pub const BYTE_TIME: Duration = Duration::from_nanos(86_806);

/// Longest line that is kept; the longest feedback line has 324 bytes.
const LINE_CAPACITY: usize = 512;

/// Why a command was not encoded. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum CommandRefused {
    /// The link is waiting for the board, for its next frame, or for the last command to be written.
    #[error("the link has no room for a command now; ask `ready` first")]
    NotReady,
    /// NaN, infinity, or an angle beyond any servo.
    #[error(transparent)]
    Goal(#[from] firmware_protocol::Error),
}

/// Where the link stands with the board.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each port, and a box would allocate")]
enum Phase {
    /// Waiting for valid feedback from an arm that stands still.
    Waiting,
    /// Commands may be written.
    Ready,
    /// The port is gone; the shell looks for it.
    PortAway,
    /// The control side is gone: the machine itself brings the arm to rest.
    TakingOver(TakeOver),
    /// Somebody guides the arm by hand.
    HandGuided(Guiding),
    /// Torque was switched off; final.
    TorqueReleased,
    /// Gave up; final.
    Failed(LinkFault),
}

/// The link's state. See the [module](self).
#[derive(Debug)]
pub struct LinkMachine {
    options: LinkOptions,
    phase: Phase,
    /// Counts connections, see the [module](self).
    connection: u32,
    /// When the present wait began.
    waiting_since: Timestamp,
    /// When readiness was lost, until it is won back.
    lost_since: Option<Timestamp>,
    /// When the link was ready last, first frame.
    ready_since: Option<Timestamp>,
    /// When bytes first arrived in the present wait.
    first_bytes: Option<Timestamp>,
    /// Whether a byte ever arrived.
    heard: bool,
    handshake: Handshake,
    frames: FrameWatch,
    splitter: LineSplitter<LINE_CAPACITY>,
    generation: Option<Generation>,
    /// Shape of the board's frames, once the link was ready: another board may have another.
    shape: Option<FeedbackShape>,
    sequence: u64,
    last_feedback: Timestamp,
    /// Stamp of the newest pose: stamps never run backwards.
    last_measured: Timestamp,
    newest_pose: Option<JointAngles>,
    /// A frame arrived since the last command.
    credit: bool,
    /// Encoded, and not yet reported as written.
    in_flight: Option<JointCommand>,
    /// The connection that it was encoded in.
    in_flight_connection: u32,
    written_goals: WrittenGoals,
    health: HealthMonitor,
    command_bytes: [u8; Command::MAX_BYTES],
    statistics: LinkStatistics,
    rate: RateCounter,
}

impl LinkMachine {
    /// A machine whose port was opened `now`, control lines already set.
    pub const fn new(options: LinkOptions, now: Timestamp) -> Self {
        Self {
            options,
            phase: Phase::Waiting,
            connection: 0,
            waiting_since: now,
            lost_since: None,
            ready_since: None,
            first_bytes: None,
            heard: false,
            handshake: Handshake::new(now),
            frames: FrameWatch::new(&options),
            splitter: LineSplitter::new(),
            generation: options.generation,
            shape: None,
            sequence: 0,
            last_feedback: now,
            last_measured: Timestamp::ZERO,
            newest_pose: None,
            credit: false,
            in_flight: None,
            in_flight_connection: 0,
            written_goals: WrittenGoals::new(),
            health: HealthMonitor::new(HealthOptions::DEFAULT),
            command_bytes: [0; Command::MAX_BYTES],
            statistics: LinkStatistics::ZERO,
            rate: RateCounter::new(),
        }
    }

    /// Lets time pass: adds handshake lines, or the goals of a take-over, to `out` when they are due, and gives up when a wait
    /// was too long.
    ///
    /// Call it at least every 50 ms and after each [`LinkMachine::receive`]. It adds nothing while `out` still holds bytes or
    /// a command is in flight, so lines never mix. It may begin a command: report it with [`LinkMachine::written`] as any other.
    pub fn poll(&mut self, now: Timestamp, out: &mut WriteBuffer, events: &mut dyn FnMut(LinkEvent)) {
        if let Some(rate) = self.rate.idle(now) {
            self.statistics.feedback_hz = rate;
        }
        match self.phase {
            Phase::Failed(_) | Phase::TorqueReleased => {}
            Phase::PortAway => {
                if self.port_overdue(now) {
                    self.fail(LinkFault::Lost, events);
                }
            }
            Phase::Ready => {
                if now.since(self.last_feedback) >= self.options.feedback_timeout {
                    events(LinkEvent::FeedbackLost);
                    self.wait_again(now);
                }
            }
            Phase::TakingOver(take_over) => self.go_on_taking_over(take_over, now, out, events),
            Phase::HandGuided(guiding) => self.go_on_guiding(guiding, now, out, events),
            Phase::Waiting => {
                if let Some(fault) = self.overdue(now) {
                    return self.fail(fault, events);
                }
                if self.frames.booting_to_be_said(self.first_bytes, now) {
                    events(LinkEvent::Booting);
                }
                if out.is_empty() && self.in_flight.is_none() && self.handshake.send(now, out) {
                    self.statistics.handshakes += 1;
                }
            }
        }
    }

    /// Whether a command may be written now: handshake done, a frame received since the last command, nothing in flight.
    pub const fn ready(&self) -> bool {
        matches!(self.phase, Phase::Ready) && self.credit && self.in_flight.is_none()
    }

    /// Whether the handshake is done; other than [`LinkMachine::ready`] it does not ask for a credit.
    pub const fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Ready)
    }

    /// Encodes a command as T:102 with every field. Write the *whole* line, then call [`LinkMachine::written`].
    ///
    /// Joint limits are not applied: the gate did, and the board clamps.
    pub fn write_joints(&mut self, command: &JointCommand) -> Result<&[u8], CommandRefused> {
        if !self.ready() {
            return Err(CommandRefused::NotReady);
        }
        self.begin(command)
    }

    /// Encodes a command, whoever made it.
    fn begin(&mut self, command: &JointCommand) -> Result<&[u8], CommandRefused> {
        let joints = Command::Joints {
            goal: GoalAngles::new(FirmwareAngles::from(command.goal))?,
            speed: ServoSpeed::from_rad_per_s(command.profile.speed_rad_s)?,
            acceleration: ServoAcceleration::from_rad_per_s2(command.profile.acceleration_rad_s2)?,
        };
        (self.in_flight, self.in_flight_connection) = (Some(*command), self.connection);
        self.credit = false;
        let line = joints.encode(&mut self.command_bytes);
        self.handshake.note_unread(line.len());
        Ok(line)
    }

    /// Notes that the port took the last byte of the command's line; the report for the control core. `None` when no command
    /// was in flight, when the connection ended since it was begun, and for the goals of a take-over: the control core is gone then.
    pub fn written(&mut self, now: Timestamp) -> Option<CommandWritten> {
        let command = self.in_flight.take()?;
        self.statistics.commands += 1;
        if self.in_flight_connection != self.connection {
            return None;
        }
        self.written_goals.note(command, now);
        self.note_motion(&command, now);
        self.note_caught();
        if let Phase::TakingOver(take_over) = &mut self.phase {
            take_over.written(command.goal, now);
            return None;
        }
        Some(CommandWritten { command, written: now })
    }

    /// The board's generation: as told, or as detected once feedback arrived.
    pub const fn generation(&self) -> Option<Generation> {
        self.generation
    }

    /// Why the link gave up, if it did.
    pub const fn fault(&self) -> Option<LinkFault> {
        match self.phase {
            Phase::Failed(fault) => Some(fault),
            _ => None,
        }
    }

    /// Counters so far.
    pub const fn statistics(&self) -> LinkStatistics {
        let mut statistics = self.statistics;
        statistics.overlong_lines += self.splitter.dropped_lines();
        statistics
    }

    /// Ends the link from outside.
    pub fn fail(&mut self, fault: LinkFault, events: &mut dyn FnMut(LinkEvent)) {
        if self.fault().is_none() {
            self.phase = Phase::Failed(fault);
            self.credit = false;
            events(LinkEvent::Fault(fault));
        }
    }
}
