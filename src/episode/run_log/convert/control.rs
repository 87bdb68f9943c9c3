//! One tick.

use super::super::error::Unreadable;
use super::super::records::ControlRecord;
use super::super::wire;
use super::{Convert, duration, index, nanos, number, optional, pose, pose_to_wire, required, time};
use crate::control::{EndCause, GateCounts, Phase, StartProposal, WorkspaceCounts};
use crate::types::{
    CommandWritten, Continuation, FeedbackSample, FrameMetadata, FrameSet, JointCommand, LinkStatus,
    MAX_CAMERAS, ObservationRequest, Playback, ServoProfile, StatePerturbation,
};

impl Convert for ControlRecord {
    type Wire = wire::Control;

    fn to_wire(&self) -> wire::Control {
        wire::Control {
            tick: self.tick,
            time_ns: self.now.as_nanos(),
            missed_ticks: self.missed_ticks,
            feedback: self.feedback.as_ref().map(Convert::to_wire),
            frames: frames_to_wire(&self.frames),
            chunk: self.chunk,
            written: self.written.as_ref().map(Convert::to_wire),
            link: Some(self.link.to_wire()),
            go: self.go,
            stop: self.stop.as_ref().map(Convert::to_wire),
            reset: self.reset,
            paused: self.playback.paused,
            steps: self.playback.steps,
            command: self.command.as_ref().map(Convert::to_wire),
            observation: self.observation.as_ref().map(Convert::to_wire),
            torque_released: self.torque_released,
            phase: Some(self.phase.to_wire()),
            gate: Some(self.gate.to_wire()),
        }
    }

    fn from_wire(wire: wire::Control) -> Result<Self, Unreadable> {
        Ok(Self {
            tick: wire.tick,
            now: time(wire.time_ns),
            missed_ticks: wire.missed_ticks,
            feedback: optional(wire.feedback)?,
            frames: frames(wire.frames)?,
            chunk: wire.chunk,
            written: optional(wire.written)?,
            link: required(wire.link, "link")?,
            go: wire.go,
            stop: optional(wire.stop)?,
            reset: wire.reset,
            playback: Playback { paused: wire.paused, steps: wire.steps },
            command: optional(wire.command)?,
            observation: optional(wire.observation)?,
            torque_released: wire.torque_released,
            phase: required(wire.phase, "phase")?,
            gate: required(wire.gate, "gate counts")?,
        })
    }
}

impl Convert for FeedbackSample {
    type Wire = wire::Feedback;

    fn to_wire(&self) -> wire::Feedback {
        wire::Feedback {
            sequence: self.sequence,
            angles: pose_to_wire(&self.angles),
            measured_ns: self.measured.as_nanos(),
            torque_off: self.torque_off,
        }
    }

    fn from_wire(wire: wire::Feedback) -> Result<Self, Unreadable> {
        Ok(Self {
            sequence: wire.sequence,
            angles: pose(&wire.angles, "a measured pose")?,
            measured: time(wire.measured_ns),
            torque_off: wire.torque_off,
        })
    }
}

/// A frame of a slot.
pub(in crate::episode::run_log) fn frame_to_wire(slot: usize, frame: &FrameMetadata) -> wire::FrameMetadata {
    wire::FrameMetadata {
        slot: u32::try_from(slot).unwrap_or(u32::MAX),
        id: frame.id,
        sequence: frame.sequence,
        captured_ns: frame.captured.as_nanos(),
        width: frame.width,
        height: frame.height,
        digest: frame.digest,
    }
}

pub(in crate::episode::run_log) fn frame(
    wire: &wire::FrameMetadata,
) -> Result<(usize, FrameMetadata), Unreadable> {
    let slot = index(wire.slot.into(), "a camera slot")?;
    if slot >= MAX_CAMERAS {
        return Err(Unreadable::invalid("a camera slot", slot));
    }
    let metadata = FrameMetadata {
        id: wire.id,
        sequence: wire.sequence,
        captured: time(wire.captured_ns),
        width: wire.width,
        height: wire.height,
        digest: wire.digest,
    };
    Ok((slot, metadata))
}

pub(super) fn frames_to_wire(frames: &FrameSet) -> Vec<wire::FrameMetadata> {
    let frames = frames.iter().enumerate();
    frames.filter_map(|(slot, frame)| Some(frame_to_wire(slot, frame.as_ref()?))).collect()
}

pub(super) fn frames(wire: Vec<wire::FrameMetadata>) -> Result<FrameSet, Unreadable> {
    let mut frames = FrameSet::default();
    for one in &wire {
        let (slot, metadata) = frame(one)?;
        frames[slot] = Some(metadata);
    }
    Ok(frames)
}

impl Convert for JointCommand {
    type Wire = wire::Command;

    fn to_wire(&self) -> wire::Command {
        wire::Command {
            sequence: self.sequence,
            tick: self.tick,
            goal: pose_to_wire(&self.goal),
            servo_speed_rad_s: Some(self.profile.speed_rad_s),
            servo_acceleration_rad_s2: Some(self.profile.acceleration_rad_s2),
        }
    }

    fn from_wire(wire: wire::Command) -> Result<Self, Unreadable> {
        Ok(Self {
            sequence: wire.sequence,
            tick: wire.tick,
            goal: pose(&wire.goal, "a goal")?,
            profile: ServoProfile {
                speed_rad_s: number(wire.servo_speed_rad_s, "servo speed")?,
                acceleration_rad_s2: number(wire.servo_acceleration_rad_s2, "servo acceleration")?,
            },
        })
    }
}

impl Convert for CommandWritten {
    type Wire = wire::Written;

    fn to_wire(&self) -> wire::Written {
        wire::Written { command: Some(self.command.to_wire()), written_ns: self.written.as_nanos() }
    }

    fn from_wire(wire: wire::Written) -> Result<Self, Unreadable> {
        Ok(Self { command: required(wire.command, "command")?, written: time(wire.written_ns) })
    }
}

impl Convert for LinkStatus {
    type Wire = wire::Link;

    fn to_wire(&self) -> wire::Link {
        wire::Link { connection: self.connection, connected: self.connected, ready: self.ready }
    }

    fn from_wire(wire: wire::Link) -> Result<Self, Unreadable> {
        Ok(Self { connection: wire.connection, connected: wire.connected, ready: wire.ready })
    }
}

impl Convert for ObservationRequest {
    type Wire = wire::Request;

    fn to_wire(&self) -> wire::Request {
        wire::Request {
            chunk: self.chunk_id,
            tick: self.tick,
            timestep: self.timestep,
            frames: frames_to_wire(&self.frames),
            observed_ns: self.observed.as_nanos(),
            state: pose_to_wire(&self.state),
            continues: self.continues.map(|continued| wire::Continuation {
                chunk: continued.chunk_id,
                consumed: continued.consumed as u64,
                inference_delay: continued.inference_delay as u64,
            }),
            perturbation: self.perturbation.map(|perturbation| wire::Perturbation {
                amplitude_rad: Some(perturbation.amplitude_rad),
                seed: perturbation.seed,
            }),
        }
    }

    fn from_wire(wire: wire::Request) -> Result<Self, Unreadable> {
        let continuation = |continued: wire::Continuation| {
            Ok::<_, Unreadable>(Continuation {
                chunk_id: continued.chunk,
                consumed: index(continued.consumed, "a count of actions")?,
                inference_delay: index(continued.inference_delay, "a count of actions")?,
            })
        };
        let perturbation = |perturbation: wire::Perturbation| {
            Ok::<_, Unreadable>(StatePerturbation {
                amplitude_rad: number(perturbation.amplitude_rad, "amplitude")?,
                seed: perturbation.seed,
            })
        };
        Ok(Self {
            chunk_id: wire.chunk,
            tick: wire.tick,
            timestep: wire.timestep,
            frames: frames(wire.frames)?,
            observed: time(wire.observed_ns),
            state: pose(&wire.state, "a state")?,
            continues: wire.continues.map(continuation).transpose()?,
            perturbation: wire.perturbation.map(perturbation).transpose()?,
        })
    }
}

impl Convert for StartProposal {
    type Wire = wire::Proposal;

    fn to_wire(&self) -> wire::Proposal {
        wire::Proposal {
            number: self.number,
            measured: pose_to_wire(&self.measured),
            from: pose_to_wire(&self.from),
            to: pose_to_wire(&self.to),
            duration_ns: nanos(self.duration),
            resumes: self.resumes,
        }
    }

    fn from_wire(wire: wire::Proposal) -> Result<Self, Unreadable> {
        Ok(Self {
            number: wire.number,
            measured: pose(&wire.measured, "a measured pose")?,
            from: pose(&wire.from, "a pose")?,
            to: pose(&wire.to, "a pose")?,
            duration: duration(wire.duration_ns),
            resumes: wire.resumes,
        })
    }
}

impl Convert for Phase {
    type Wire = wire::Phase;

    fn to_wire(&self) -> wire::Phase {
        let named = |cause: Option<&EndCause>, proposal: Option<&StartProposal>| wire::Phase {
            name: self.name().to_owned(),
            cause: cause.map(Convert::to_wire),
            proposal: proposal.map(Convert::to_wire),
        };
        match self {
            Self::Settling | Self::Ramping | Self::Running | Self::Disconnected => named(None, None),
            Self::AwaitingGo(proposal) => named(None, Some(proposal)),
            Self::Easing(cause)
            | Self::Holding(cause)
            | Self::Parking(cause)
            | Self::Stopped(cause)
            | Self::Ended(cause) => named(Some(cause), None),
        }
    }

    fn from_wire(wire: wire::Phase) -> Result<Self, Unreadable> {
        let wire::Phase { name, cause, proposal } = wire;
        let cause = || required::<EndCause>(cause.clone(), "cause");
        Ok(match name.as_str() {
            "settling" => Self::Settling,
            "waiting" => Self::AwaitingGo(required(proposal, "proposal")?),
            "ramping" => Self::Ramping,
            "running" => Self::Running,
            "easing" => Self::Easing(cause()?),
            "holding" => Self::Holding(cause()?),
            "parking" => Self::Parking(cause()?),
            "stopped" => Self::Stopped(cause()?),
            "disconnected" => Self::Disconnected,
            "ended" => Self::Ended(cause()?),
            other => return Err(Unreadable::invalid("a phase", other)),
        })
    }
}

impl Convert for GateCounts {
    type Wire = wire::GateCounts;

    fn to_wire(&self) -> wire::GateCounts {
        let Self {
            finite,
            trained_range,
            z_score,
            joint_limits,
            workspace: WorkspaceCounts { itself, table, reach, keep_out, not_finite },
            step,
            velocity,
            acceleration,
            lead,
            observation_age,
            frame_age,
            feedback_age,
            tracking,
        } = *self;
        wire::GateCounts {
            finite,
            trained_range,
            z_score,
            joint_limits,
            workspace_self: itself,
            workspace_table: table,
            workspace_reach: reach,
            workspace_keep_out: keep_out,
            workspace_not_finite: not_finite,
            step,
            velocity,
            acceleration,
            lead,
            observation_age,
            frame_age,
            feedback_age,
            tracking,
        }
    }

    fn from_wire(wire: wire::GateCounts) -> Result<Self, Unreadable> {
        Ok(Self {
            finite: wire.finite,
            trained_range: wire.trained_range,
            z_score: wire.z_score,
            joint_limits: wire.joint_limits,
            workspace: WorkspaceCounts {
                itself: wire.workspace_self,
                table: wire.workspace_table,
                reach: wire.workspace_reach,
                keep_out: wire.workspace_keep_out,
                not_finite: wire.workspace_not_finite,
            },
            step: wire.step,
            velocity: wire.velocity,
            acceleration: wire.acceleration,
            lead: wire.lead,
            observation_age: wire.observation_age,
            frame_age: wire.frame_age,
            feedback_age: wire.feedback_age,
            tracking: wire.tracking,
        })
    }
}
