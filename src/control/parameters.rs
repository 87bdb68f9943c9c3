//! Settings of the core, in radians and on the core's clock.

use std::time::Duration;

use calibration::JointLimits;
use calibration::collision::{Table, Workspace};
use firmware_protocol::ServoAcceleration;

use super::frozen_picture::FrozenPicture;
use super::player::{ChunkSchedule, PlayerSettings};
use super::progress::{GripperIdle, Plateau};
use super::trajectory::MotionLimits;
use crate::types::{JOINT_COUNT, Joint, JointAngles, ServoProfile};

/// An interval for each joint, joint frame, radians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JointBounds {
    /// Lower ends.
    pub lower: JointAngles,
    /// Upper ends; none lies below its lower end.
    pub upper: JointAngles,
}

impl From<JointLimits> for JointBounds {
    fn from(limits: JointLimits) -> Self {
        Self { lower: limits.min(), upper: limits.max() }
    }
}

impl JointBounds {
    /// Bounds that widen these by `margin` of each joint's range at both ends.
    pub fn widened(&self, margin: f64) -> Self {
        let (lower, upper) = (self.lower.to_array_rad(), self.upper.to_array_rad());
        let widen = |joint: usize| margin * (upper[joint] - lower[joint]);
        Self {
            lower: JointAngles::from_array_rad(std::array::from_fn(|joint| lower[joint] - widen(joint))),
            upper: JointAngles::from_array_rad(std::array::from_fn(|joint| upper[joint] + widen(joint))),
        }
    }

    /// The nearest pose inside. A NaN stays NaN: test for it first.
    pub fn clamp(&self, angles: &JointAngles) -> JointAngles {
        let (lower, upper, angles) =
            (self.lower.to_array_rad(), self.upper.to_array_rad(), angles.to_array_rad());
        JointAngles::from_array_rad(std::array::from_fn(|joint| match angles[joint] {
            angle if angle < lower[joint] => lower[joint],
            angle if angle > upper[joint] => upper[joint],
            angle => angle,
        }))
    }

    /// The joint that stands furthest outside, if one does by more than `tolerance_rad`.
    pub fn furthest_outside(&self, pose: &JointAngles, tolerance_rad: f64) -> Option<Joint> {
        let inside = self.clamp(pose);
        let outside = |joint: &Joint| (pose.get(*joint) - inside.get(*joint)).abs();
        Joint::ALL
            .into_iter()
            .filter(|joint| outside(joint) > tolerance_rad)
            .max_by(|one, other| outside(one).total_cmp(&outside(other)))
    }

    /// The part of these bounds that lies inside `other` (its nearest edge where nothing does).
    pub fn within(&self, other: &Self) -> Self {
        Self { lower: other.clamp(&self.lower), upper: other.clamp(&self.upper) }
    }

    /// These bounds, stretched as far as `pose` where it lies outside: from there only motion towards them is left.
    pub fn reaching(&self, pose: &JointAngles) -> Self {
        let (lower, upper, pose) =
            (self.lower.to_array_rad(), self.upper.to_array_rad(), pose.to_array_rad());
        Self {
            lower: JointAngles::from_array_rad(std::array::from_fn(|joint| lower[joint].min(pose[joint]))),
            upper: JointAngles::from_array_rad(std::array::from_fn(|joint| upper[joint].max(pose[joint]))),
        }
    }
}

/// Everything the core needs to know before its first tick.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlParameters {
    /// What the detected firmware accepts.
    pub joint_limits: JointBounds,
    /// Range of the policy's training actions, margin included; `None` where the bundle has no range.
    pub trained_range: Option<JointBounds>,
    /// Five standard deviations around the mean of the policy's training actions: the bound where there is no range; `None` for
    /// none.
    pub z_score_range: Option<JointBounds>,
    /// Bound on each joint's velocity, rad/s.
    pub max_velocity_rad_s: f64,
    /// Bound on each joint's acceleration, rad/s².
    pub max_acceleration_rad_s2: f64,
    /// Deceleration of a stop, rad/s².
    pub stop_deceleration_rad_s2: f64,
    /// Top speed of the way to the start pose, rad/s.
    pub ramp_speed_rad_s: f64,
    /// The most that the servos' own profile may be given, see [`ServoProfile`]; what it is given follows the goals.
    pub servo_profile: ServoProfile,
    /// Where the run starts; `None` starts where the arm stands.
    pub start_pose: Option<JointAngles>,
    /// Time between two actions of a chunk: 1 / the policy's fps.
    pub action_period: Duration,
    /// How many actions of each chunk are played before the next observation.
    pub actions_per_chunk: usize,
    /// When the next chunk is asked for and how it joins the one before.
    pub schedule: ChunkSchedule,
    /// Where chunks overlap, the next one is asked for when no more than this share of a chunk is left to play, in (0, 1).
    pub queue_threshold: f64,
    /// Bound on the jerk of the way that the policy's actions are followed on, rad/s³.
    pub max_jerk_rad_s3: f64,
    /// Roughness of the motion that fails a run.
    pub motion_limits: MotionLimits,
    /// Speed of the first chunk as a share of its recorded speed, in (0, 1].
    pub first_chunk_speed: f64,
    /// Number of camera slots that must have a frame.
    pub cameras: usize,
    /// How long the policy may move the arm; `None` until stopped.
    pub duration: Option<Duration>,
    /// Feedback older than this is a protective stop.
    pub max_feedback_age: Duration,
    /// A newest frame older than this is a protective stop.
    pub max_frame_age: Duration,
    /// A chunk whose observation is older than this when it arrives is dropped.
    pub max_observation_age: Duration,
    /// An inference that takes longer is a protective stop.
    pub inference_timeout: Duration,
    /// So many dropped chunks in a row are a protective stop.
    pub rejections_before_stop: u32,
    /// How far a goal may run ahead of the last measured pose, by joint, radians: what an arm still travels when its host dies.
    pub lead_limit_rad: [f64; JOINT_COUNT],
    /// Where the arm may be.
    pub workspace: Workspace,
    /// A joint further than this from its goal (radians, below the lead limit, the gripper aside) that does not move towards it ...
    pub tracking_error_rad: f64,
    /// ... for this long is a protective stop.
    pub tracking_time: Duration,
    /// Commands that were refused for the workspace for so long without a break are a protective stop.
    pub workspace_patience: Duration,
    /// Whether an arm that no longer moves is noticed, and what follows.
    pub plateau: Option<Plateau>,
    /// Whether a gripper that closed and then does nothing is noticed, and what follows.
    pub gripper_idle: Option<GripperIdle>,
    /// Whether a camera that shows the same picture again and again is noticed, and what follows.
    pub frozen_picture: Option<FrozenPicture>,
    /// What follows a protective or emergency stop.
    pub after_stop: AfterStop,
    /// What follows a lost link.
    pub after_link_loss: AfterLinkLoss,
    /// Where the arm goes at a normal end of its own; `None` holds it where it is.
    pub park: Option<Park>,
}

impl ControlParameters {
    /// The settings of an empty `roarm.toml` for an arm with these limits and one camera, but that nothing watches whether the policy gets
    /// on and a lost link ends the run: no trained range, no start pose, chunks of 25 actions at 30 a second one after another, no end.
    pub fn usual(joint_limits: JointBounds) -> Self {
        let degrees = f64::to_radians;
        Self {
            joint_limits,
            trained_range: None,
            z_score_range: None,
            max_velocity_rad_s: degrees(90.0),
            max_acceleration_rad_s2: degrees(600.0),
            stop_deceleration_rad_s2: degrees(900.0),
            ramp_speed_rad_s: degrees(15.0),
            servo_profile: ServoProfile {
                speed_rad_s: 2_000.0 * firmware_protocol::steps::STEP_RAD,
                acceleration_rad_s2: 254.0 * ServoAcceleration::UNIT_RAD_PER_S2,
            },
            start_pose: None,
            action_period: Duration::from_secs_f64(1.0 / 30.0),
            actions_per_chunk: 25,
            schedule: ChunkSchedule::Sync,
            queue_threshold: 0.5,
            max_jerk_rad_s3: degrees(6_000.0),
            motion_limits: MotionLimits::default(),
            first_chunk_speed: 1.0,
            cameras: 1,
            duration: None,
            max_feedback_age: Duration::from_millis(250),
            max_frame_age: Duration::from_millis(500),
            max_observation_age: Duration::from_secs(2),
            inference_timeout: Duration::from_secs(3),
            rejections_before_stop: 10,
            lead_limit_rad: [8.0, 8.0, 8.0, 8.0, 8.0, 25.0].map(degrees),
            workspace: Workspace {
                self_margin_m: 0.005,
                table: Some(Table { height_m: 0.0, clearance_m: 0.0 }),
                ..Workspace::default()
            },
            tracking_error_rad: degrees(6.5),
            tracking_time: Duration::from_secs(1),
            workspace_patience: Duration::from_secs(2),
            plateau: None,
            gripper_idle: None,
            frozen_picture: None,
            after_stop: AfterStop::default(),
            after_link_loss: AfterLinkLoss::default(),
            park: None,
        }
    }

    pub(super) const fn player(&self) -> PlayerSettings {
        PlayerSettings {
            schedule: self.schedule,
            period: self.action_period,
            actions_per_chunk: self.actions_per_chunk,
            queue_threshold: self.queue_threshold,
            first_chunk_speed: self.first_chunk_speed,
        }
    }

    /// What the training data allow: their range, else the bound on z-scores.
    pub const fn trained_bounds(&self) -> Option<&JointBounds> {
        match &self.trained_range {
            Some(range) => Some(range),
            None => self.z_score_range.as_ref(),
        }
    }

    /// The greatest difference of goal and measured pose that can be sag, by joint: what exceeds it is a joint that does not follow.
    pub(super) fn greatest_sag_rad(&self) -> [f64; JOINT_COUNT] {
        let mut limit_rad = self.lead_limit_rad.map(|limit_rad| limit_rad.min(self.tracking_error_rad));
        limit_rad[Joint::Gripper.index()] = self.lead_limit_rad[Joint::Gripper.index()];
        limit_rad
    }
}

/// What follows a protective or emergency stop, once the arm holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterStop {
    /// The run ends; the arm holds.
    #[default]
    End,
    /// The arm holds until somebody at this machine resets it; then the first motion is proposed anew.
    Wait,
}

/// What follows a lost link, once it is back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterLinkLoss {
    /// Once the arm stands still, the way back to where the link was lost is proposed as at a start; after consent the policy goes
    /// on from there.
    Resume,
    /// The run ends at once.
    #[default]
    End,
}

/// The end of a run that was not stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Park {
    /// Where the arm goes, at the speed of the way to the start pose.
    pub pose: JointAngles,
    /// Whether its torque is switched off there.
    pub release_torque: bool,
}
