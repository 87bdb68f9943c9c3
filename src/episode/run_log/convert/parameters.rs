//! The core's settings.

use super::super::error::Unreadable;
use super::super::wire;
use super::{
    Convert, duration, index, joints, nanos, number, optional, pose, pose_or_none, pose_to_wire, required,
};
use crate::control::{
    AfterLinkLoss, AfterStop, Aggregation, ChunkSchedule, ControlParameters, FrozenPicture, GripperIdle,
    JointBounds, MotionLimits, Park, Plateau, PlateauAction,
};
use crate::types::ServoProfile;

impl Convert for ControlParameters {
    type Wire = wire::Parameters;

    fn to_wire(&self) -> wire::Parameters {
        // Named one by one: a new setting does not compile before it has a place in the log.
        let Self {
            joint_limits,
            trained_range,
            z_score_range,
            max_velocity_rad_s,
            max_acceleration_rad_s2,
            stop_deceleration_rad_s2,
            ramp_speed_rad_s,
            servo_profile: ServoProfile { speed_rad_s, acceleration_rad_s2 },
            start_pose,
            action_period,
            actions_per_chunk,
            schedule,
            queue_threshold,
            max_jerk_rad_s3,
            motion_limits: MotionLimits { seam_ratio, jerk_rad_s3, waiting_share },
            first_chunk_speed,
            cameras,
            duration,
            max_feedback_age,
            max_frame_age,
            max_observation_age,
            inference_timeout,
            rejections_before_stop,
            lead_limit_rad,
            workspace,
            tracking_error_rad,
            tracking_time,
            workspace_patience,
            plateau,
            gripper_idle,
            frozen_picture,
            after_stop,
            after_link_loss,
            park,
        } = self;
        wire::Parameters {
            joint_limits: Some(joint_limits.to_wire()),
            trained_range: trained_range.as_ref().map(Convert::to_wire),
            z_score_range: z_score_range.as_ref().map(Convert::to_wire),
            max_velocity_rad_s: Some(*max_velocity_rad_s),
            max_acceleration_rad_s2: Some(*max_acceleration_rad_s2),
            stop_deceleration_rad_s2: Some(*stop_deceleration_rad_s2),
            ramp_speed_rad_s: Some(*ramp_speed_rad_s),
            servo_speed_rad_s: Some(*speed_rad_s),
            servo_acceleration_rad_s2: Some(*acceleration_rad_s2),
            start_pose: start_pose.as_ref().map(pose_to_wire).unwrap_or_default(),
            action_period_ns: nanos(*action_period),
            actions_per_chunk: *actions_per_chunk as u64,
            schedule: Some(schedule.to_wire()),
            queue_threshold: Some(*queue_threshold),
            max_jerk_rad_s3: Some(*max_jerk_rad_s3),
            fail_above_seam_ratio: *seam_ratio,
            fail_above_jerk_rad_s3: *jerk_rad_s3,
            fail_above_waiting_share: *waiting_share,
            first_chunk_speed: Some(*first_chunk_speed),
            cameras: *cameras as u64,
            duration_ns: duration.map(nanos),
            max_feedback_age_ns: nanos(*max_feedback_age),
            max_frame_age_ns: nanos(*max_frame_age),
            max_observation_age_ns: nanos(*max_observation_age),
            inference_timeout_ns: nanos(*inference_timeout),
            rejections_before_stop: *rejections_before_stop,
            lead_limit_rad: lead_limit_rad.to_vec(),
            workspace: Some(workspace.to_wire()),
            tracking_error_rad: Some(*tracking_error_rad),
            tracking_time_ns: nanos(*tracking_time),
            workspace_patience_ns: nanos(*workspace_patience),
            plateau: plateau.as_ref().map(Convert::to_wire),
            gripper_idle: gripper_idle.as_ref().map(Convert::to_wire),
            frozen_picture: frozen_picture.as_ref().map(Convert::to_wire),
            wait_after_stop: *after_stop == AfterStop::Wait,
            resume_after_link_loss: *after_link_loss == AfterLinkLoss::Resume,
            park: park.as_ref().map(Convert::to_wire),
        }
    }

    fn from_wire(wire: wire::Parameters) -> Result<Self, Unreadable> {
        Ok(Self {
            joint_limits: required(wire.joint_limits, "joint limits")?,
            trained_range: optional(wire.trained_range)?,
            z_score_range: optional(wire.z_score_range)?,
            max_velocity_rad_s: number(wire.max_velocity_rad_s, "velocity")?,
            max_acceleration_rad_s2: number(wire.max_acceleration_rad_s2, "acceleration")?,
            stop_deceleration_rad_s2: number(wire.stop_deceleration_rad_s2, "deceleration")?,
            ramp_speed_rad_s: number(wire.ramp_speed_rad_s, "ramp speed")?,
            servo_profile: ServoProfile {
                speed_rad_s: number(wire.servo_speed_rad_s, "servo speed")?,
                acceleration_rad_s2: number(wire.servo_acceleration_rad_s2, "servo acceleration")?,
            },
            start_pose: pose_or_none(&wire.start_pose, "a start pose")?,
            action_period: duration(wire.action_period_ns),
            actions_per_chunk: index(wire.actions_per_chunk, "a count of actions")?,
            schedule: required(wire.schedule, "schedule")?,
            queue_threshold: number(wire.queue_threshold, "queue threshold")?,
            max_jerk_rad_s3: number(wire.max_jerk_rad_s3, "jerk")?,
            motion_limits: MotionLimits {
                seam_ratio: wire.fail_above_seam_ratio,
                jerk_rad_s3: wire.fail_above_jerk_rad_s3,
                waiting_share: wire.fail_above_waiting_share,
            },
            first_chunk_speed: number(wire.first_chunk_speed, "speed of the first chunk")?,
            cameras: index(wire.cameras, "a count of cameras")?,
            duration: wire.duration_ns.map(duration),
            max_feedback_age: duration(wire.max_feedback_age_ns),
            max_frame_age: duration(wire.max_frame_age_ns),
            max_observation_age: duration(wire.max_observation_age_ns),
            inference_timeout: duration(wire.inference_timeout_ns),
            rejections_before_stop: wire.rejections_before_stop,
            lead_limit_rad: joints(&wire.lead_limit_rad, "lead limits")?,
            workspace: required(wire.workspace, "workspace")?,
            tracking_error_rad: number(wire.tracking_error_rad, "tracking error")?,
            tracking_time: duration(wire.tracking_time_ns),
            workspace_patience: duration(wire.workspace_patience_ns),
            plateau: optional(wire.plateau)?,
            gripper_idle: optional(wire.gripper_idle)?,
            frozen_picture: optional(wire.frozen_picture)?,
            after_stop: if wire.wait_after_stop { AfterStop::Wait } else { AfterStop::End },
            after_link_loss: if wire.resume_after_link_loss {
                AfterLinkLoss::Resume
            } else {
                AfterLinkLoss::End
            },
            park: optional(wire.park)?,
        })
    }
}

impl Convert for JointBounds {
    type Wire = wire::Bounds;

    fn to_wire(&self) -> wire::Bounds {
        wire::Bounds { lower: pose_to_wire(&self.lower), upper: pose_to_wire(&self.upper) }
    }

    fn from_wire(wire: wire::Bounds) -> Result<Self, Unreadable> {
        Ok(Self { lower: pose(&wire.lower, "lower bounds")?, upper: pose(&wire.upper, "upper bounds")? })
    }
}

impl Convert for ChunkSchedule {
    type Wire = wire::Schedule;

    fn to_wire(&self) -> wire::Schedule {
        let named = |name: &str| wire::Schedule { name: name.to_owned(), ..wire::Schedule::default() };
        match *self {
            Self::Sync => named("sync"),
            Self::Async { aggregation } => {
                wire::Schedule { aggregation: aggregation.to_string(), ..named("async") }
            }
            Self::RealTime { execution_horizon } => {
                wire::Schedule { execution_horizon: execution_horizon as u64, ..named("rtc") }
            }
        }
    }

    fn from_wire(wire: wire::Schedule) -> Result<Self, Unreadable> {
        match wire.name.as_str() {
            "sync" => Ok(Self::Sync),
            "async" => {
                let aggregation = wire.aggregation.parse::<Aggregation>();
                aggregation
                    .map(|aggregation| Self::Async { aggregation })
                    .map_err(|_| Unreadable::invalid("an aggregation", wire.aggregation))
            }
            "rtc" => Ok(Self::RealTime { execution_horizon: index(wire.execution_horizon, "a horizon")? }),
            other => Err(Unreadable::invalid("a schedule", other)),
        }
    }
}

impl Convert for Plateau {
    type Wire = wire::Plateau;

    fn to_wire(&self) -> wire::Plateau {
        let (action, amplitude_rad, seed) = match self.action {
            PlateauAction::Warn => ("warn", None, 0),
            PlateauAction::Noise { amplitude_rad, seed } => ("noise", Some(amplitude_rad), seed),
            PlateauAction::Stop => ("stop", None, 0),
        };
        wire::Plateau {
            threshold_rad: Some(self.threshold_rad),
            window_ns: nanos(self.window),
            action: action.to_owned(),
            amplitude_rad,
            seed,
        }
    }

    fn from_wire(wire: wire::Plateau) -> Result<Self, Unreadable> {
        let action = match wire.action.as_str() {
            "warn" => PlateauAction::Warn,
            "noise" => PlateauAction::Noise {
                amplitude_rad: number(wire.amplitude_rad, "amplitude")?,
                seed: wire.seed,
            },
            "stop" => PlateauAction::Stop,
            other => return Err(Unreadable::invalid("what follows a plateau", other)),
        };
        Ok(Self {
            threshold_rad: number(wire.threshold_rad, "threshold")?,
            window: duration(wire.window_ns),
            action,
        })
    }
}

impl Convert for GripperIdle {
    type Wire = wire::GripperIdle;

    fn to_wire(&self) -> wire::GripperIdle {
        let Self { closed_below_rad, threshold_rad, time, ends } = *self;
        wire::GripperIdle {
            closed_below_rad: Some(closed_below_rad),
            threshold_rad: Some(threshold_rad),
            time_ns: nanos(time),
            ends,
        }
    }

    fn from_wire(wire: wire::GripperIdle) -> Result<Self, Unreadable> {
        Ok(Self {
            closed_below_rad: number(wire.closed_below_rad, "angle of a closed gripper")?,
            threshold_rad: number(wire.threshold_rad, "threshold")?,
            time: duration(wire.time_ns),
            ends: wire.ends,
        })
    }
}

impl Convert for FrozenPicture {
    type Wire = wire::FrozenPicture;

    fn to_wire(&self) -> wire::FrozenPicture {
        let Self { time, every_source, ends } = *self;
        wire::FrozenPicture { time_ns: nanos(time), every_source, ends }
    }

    fn from_wire(wire: wire::FrozenPicture) -> Result<Self, Unreadable> {
        Ok(Self { time: duration(wire.time_ns), every_source: wire.every_source, ends: wire.ends })
    }
}

impl Convert for Park {
    type Wire = wire::Park;

    fn to_wire(&self) -> wire::Park {
        wire::Park { pose: pose_to_wire(&self.pose), release_torque: self.release_torque }
    }

    fn from_wire(wire: wire::Park) -> Result<Self, Unreadable> {
        Ok(Self { pose: pose(&wire.pose, "a park pose")?, release_torque: wire.release_torque })
    }
}
