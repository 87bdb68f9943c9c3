//! Why a run ends, by name.

use super::super::error::Unreadable;
use super::super::wire;
use super::{Convert, duration, index, nanos, number};
use crate::control::EndCause;
use crate::types::Joint;

fn joint(number: u32) -> Result<Joint, Unreadable> {
    let found = usize::try_from(number).ok().and_then(|index| Joint::ALL.get(index).copied());
    found.ok_or_else(|| Unreadable::invalid("a joint", number))
}

fn joint_number(joint: Joint) -> u32 {
    u32::try_from(joint.index()).unwrap_or_default()
}

impl Convert for EndCause {
    type Wire = wire::Cause;

    fn to_wire(&self) -> wire::Cause {
        let named = |name: &str| wire::Cause { name: name.to_owned(), ..wire::Cause::default() };
        match *self {
            Self::Duration => named("duration"),
            Self::SourceEnded => named("source_ended"),
            Self::EpisodeOver => named("episode_over"),
            Self::Interrupted => named("interrupted"),
            Self::Terminated => named("terminated"),
            Self::HungUp => named("hung_up"),
            Self::Declined => named("declined"),
            Self::NotStill => named("not_still"),
            Self::OutsideLimits { joint } => {
                wire::Cause { joint: joint_number(joint), ..named("outside_limits") }
            }
            Self::TorqueOff => named("torque_off"),
            Self::ProgramFailed => named("program_failed"),
            Self::FeedbackStale { age } => {
                wire::Cause { time_ns: Some(nanos(age)), ..named("feedback_stale") }
            }
            Self::FrameStale { slot, age } => wire::Cause {
                count: u32::try_from(slot).unwrap_or(u32::MAX),
                time_ns: age.map(nanos),
                ..named("frame_stale")
            },
            Self::PictureFrozen { slot } => {
                wire::Cause { count: u32::try_from(slot).unwrap_or(u32::MAX), ..named("picture_frozen") }
            }
            Self::ChunksRejected { count } => wire::Cause { count, ..named("chunks_rejected") },
            Self::PolicyStalled { waited } => {
                wire::Cause { time_ns: Some(nanos(waited)), ..named("policy_stalled") }
            }
            Self::PolicyFailed => named("policy_failed"),
            Self::CameraFailed => named("camera_failed"),
            Self::LinkLost => named("link_lost"),
            Self::DeadBus => named("dead_bus"),
            Self::NotFollowing { joint } => {
                wire::Cause { joint: joint_number(joint), ..named("not_following") }
            }
            Self::WorkspaceRefused => named("workspace_refused"),
            Self::Plateau => named("plateau"),
            Self::GripperIdle => named("gripper_idle"),
            Self::EmergencyStop => named("emergency_stop"),
            Self::ControlStalled => named("control_stalled"),
        }
    }

    fn from_wire(wire: wire::Cause) -> Result<Self, Unreadable> {
        let time = || number(wire.time_ns, "time").map(duration);
        Ok(match wire.name.as_str() {
            "duration" => Self::Duration,
            "source_ended" => Self::SourceEnded,
            "episode_over" => Self::EpisodeOver,
            "interrupted" => Self::Interrupted,
            "terminated" => Self::Terminated,
            "hung_up" => Self::HungUp,
            "declined" => Self::Declined,
            "not_still" => Self::NotStill,
            "outside_limits" => Self::OutsideLimits { joint: joint(wire.joint)? },
            "torque_off" => Self::TorqueOff,
            "program_failed" => Self::ProgramFailed,
            "feedback_stale" => Self::FeedbackStale { age: time()? },
            "frame_stale" => Self::FrameStale {
                slot: index(wire.count.into(), "a camera slot")?,
                age: wire.time_ns.map(duration),
            },
            "picture_frozen" => Self::PictureFrozen { slot: index(wire.count.into(), "a camera slot")? },
            "chunks_rejected" => Self::ChunksRejected { count: wire.count },
            "policy_stalled" => Self::PolicyStalled { waited: time()? },
            "policy_failed" => Self::PolicyFailed,
            "camera_failed" => Self::CameraFailed,
            "link_lost" => Self::LinkLost,
            "dead_bus" => Self::DeadBus,
            "not_following" => Self::NotFollowing { joint: joint(wire.joint)? },
            "workspace_refused" => Self::WorkspaceRefused,
            "plateau" => Self::Plateau,
            "gripper_idle" => Self::GripperIdle,
            "emergency_stop" => Self::EmergencyStop,
            "control_stalled" => Self::ControlStalled,
            other => return Err(Unreadable::invalid("a cause", other)),
        })
    }
}
