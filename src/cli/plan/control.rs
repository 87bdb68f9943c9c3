//! The core's settings, from configuration, bundle and flags.

use std::time::Duration;

use calibration::JointLimits;
use firmware_protocol::{Generation, ServoAcceleration};

use super::inference::{inference_timeout, real_time_chunking};
use super::workspace::gate_workspace;
use crate::cli::exit::CliError;
use crate::config::{
    self, AggregationChoice, ChunkConfig, Config, FrozenPictureChoice, FrozenPictureConfig, GripperConfig,
    IdleChoice, PlateauChoice, PlateauConfig, RealTimeConfig, ScheduleChoice,
};
use crate::control::{
    AfterLinkLoss, AfterStop, Aggregation, ChunkSchedule, ControlParameters, FrozenPicture, GripperIdle,
    JointBounds, MotionLimits, Park, Plateau, PlateauAction,
};
use crate::policy::Bundle;
use crate::runtime::RealTimeSettings;
use crate::types::{JOINT_COUNT, Joint, JointAngles, MAX_CAMERAS, ServoProfile};

/// What a run may set beyond configuration and bundle.
#[derive(Clone, Debug)]
pub struct ControlSettings {
    /// Actions of each chunk to play; the bundle's own number when `None`.
    pub n_action_steps: Option<usize>,
    /// Rate of actions, Hz; the bundle's own when `None`.
    pub fps: Option<f64>,
    /// How long the policy may move the arm.
    pub duration: Option<Duration>,
    /// Where the run starts; the arm's own pose when `None`.
    pub start_pose: Option<JointAngles>,
    /// Speed of the first chunk as a share of its recorded speed.
    pub first_chunk_speed: f64,
    /// Where the arm goes at the run's own end.
    pub park: Option<Park>,
}

impl Default for ControlSettings {
    fn default() -> Self {
        Self {
            n_action_steps: None,
            fps: None,
            duration: None,
            start_pose: None,
            first_chunk_speed: 1.0,
            park: None,
        }
    }
}

/// What the control thread asks the system for; the flag wins.
pub(in crate::cli) fn real_time(config: &Config, control_cpu: Option<usize>) -> RealTimeSettings {
    let RealTimeConfig { priority, control_cpu: configured, lock_memory } = config.real_time;
    RealTimeSettings { priority, control_cpu: control_cpu.or(configured), lock_memory }
}

/// The core's settings for an arm of this generation and this policy.
pub fn control_parameters(
    config: &Config,
    bundle: &Bundle,
    generation: Generation,
    settings: &ControlSettings,
) -> Result<ControlParameters, CliError> {
    let fps = settings.fps.or(config.policy.fps).or_else(|| bundle.fps()).ok_or_else(|| {
        CliError::Arguments(
            "the policy bundle does not say at which rate it was trained: give it with --fps (the fps of its dataset)".to_owned(),
        )
    })?;
    if !(fps.is_finite() && (0.1..=1000.0).contains(&fps)) {
        return Err(CliError::Arguments(format!(
            "--fps {fps} is no usable rate: give the fps of the policy's dataset, such as 30"
        )));
    }
    let from_file = config.policy.n_action_steps.and_then(|actions| usize::try_from(actions).ok());
    let actions = settings.n_action_steps.or(from_file).unwrap_or_else(|| bundle.n_action_steps());
    if actions == 0 || actions > bundle.horizon() {
        return Err(CliError::Arguments(format!(
            "--n-action-steps {actions} is outside 1..={}, the policy's horizon",
            bundle.horizon()
        )));
    }
    if bundle.slots().len() > MAX_CAMERAS {
        return Err(CliError::Refused(format!(
            "the policy looks through {} cameras, roarm has room for {MAX_CAMERAS}",
            bundle.slots().len()
        )));
    }
    let action = &bundle.normalization().action;
    let trained = JointBounds { lower: action.min_pose().into(), upper: action.max_pose().into() };
    Ok(ControlParameters {
        trained_range: Some(trained.widened(config.safety.trained_range_margin)),
        start_pose: settings.start_pose,
        action_period: Duration::from_secs_f64(1.0 / fps),
        actions_per_chunk: actions,
        first_chunk_speed: settings.first_chunk_speed,
        cameras: bundle.slots().len(),
        duration: settings.duration,
        park: settings.park,
        ..configured(config, generation)
    })
}

/// What the configuration alone says of the core's settings: everything but what is played, from where, and until when.
pub(in crate::cli) fn configured(config: &Config, generation: Generation) -> ControlParameters {
    let (motion, safety) = (&config.motion, &config.safety);
    let millis = |value: u32| Duration::from_millis(value.into());
    ControlParameters {
        max_velocity_rad_s: motion.max_velocity_deg_s.to_radians(),
        max_acceleration_rad_s2: motion.max_acceleration_deg_s2.to_radians(),
        stop_deceleration_rad_s2: motion.stop_deceleration_deg_s2.to_radians(),
        ramp_speed_rad_s: motion.ramp_speed_deg_s.to_radians(),
        servo_profile: ServoProfile {
            speed_rad_s: f64::from(motion.servo_speed_steps_s) * firmware_protocol::steps::STEP_RAD,
            acceleration_rad_s2: f64::from(motion.servo_acceleration) * ServoAcceleration::UNIT_RAD_PER_S2,
        },
        schedule: chunk_schedule(&config.policy.chunks),
        queue_threshold: config.policy.chunks.queue_threshold,
        max_jerk_rad_s3: motion.max_jerk_deg_s3.to_radians(),
        motion_limits: MotionLimits {
            seam_ratio: motion.fail_above_seam_ratio,
            jerk_rad_s3: motion.fail_above_jerk_deg_s3.map(f64::to_radians),
            waiting_share: motion.fail_above_waiting_share,
        },
        workspace: gate_workspace(safety),
        tracking_error_rad: safety
            .tracking_error_deg
            .min(safety.lead_limit_deg - LEAD_SLACK_DEG)
            .to_radians(),
        tracking_time: millis(safety.tracking_time_ms),
        workspace_patience: Duration::from_secs_f64(safety.workspace_patience_s),
        plateau: plateau(&config.plateau, config.policy.seed),
        gripper_idle: gripper_idle(&config.gripper),
        frozen_picture: frozen_picture(&config.frozen_picture),
        max_feedback_age: millis(safety.max_feedback_age_ms),
        max_frame_age: millis(safety.max_frame_age_ms),
        max_observation_age: millis(safety.max_observation_age_ms),
        inference_timeout: inference_timeout(config),
        rejections_before_stop: safety.rejections_before_stop,
        lead_limit_rad: lead_limit_rad(safety),
        after_stop: match safety.after_stop {
            config::AfterStop::End => AfterStop::End,
            config::AfterStop::Wait => AfterStop::Wait,
        },
        after_link_loss: match safety.after_link_loss {
            config::AfterLinkLoss::Resume => AfterLinkLoss::Resume,
            config::AfterLinkLoss::End => AfterLinkLoss::End,
        },
        ..ControlParameters::usual(JointLimits::of(generation).into())
    }
}

/// A blocked joint's goal stops at the lead limit: less than that must count as not following.
const LEAD_SLACK_DEG: f64 = 1.0;

fn chunk_schedule(chunks: &ChunkConfig) -> ChunkSchedule {
    match chunks.schedule {
        ScheduleChoice::Sync => ChunkSchedule::Sync,
        ScheduleChoice::Async => ChunkSchedule::Async {
            aggregation: match chunks.aggregation {
                AggregationChoice::Latest => Aggregation::Latest,
                AggregationChoice::Weighted => Aggregation::Weighted,
                AggregationChoice::Average => Aggregation::Average,
                AggregationChoice::Conservative => Aggregation::Conservative,
            },
        },
        ScheduleChoice::RealTime => {
            ChunkSchedule::RealTime { execution_horizon: real_time_chunking(chunks).execution_horizon }
        }
    }
}

fn plateau(plateau: &PlateauConfig, seed: u64) -> Option<Plateau> {
    let action = match plateau.action {
        PlateauChoice::Off => return None,
        PlateauChoice::Warn => PlateauAction::Warn,
        PlateauChoice::Noise => PlateauAction::Noise { amplitude_rad: plateau.noise_deg.to_radians(), seed },
        PlateauChoice::Stop => PlateauAction::Stop,
    };
    let window = Duration::from_secs_f64(plateau.window_s);
    Some(Plateau { threshold_rad: plateau.threshold_deg.to_radians(), window, action })
}

fn gripper_idle(gripper: &GripperConfig) -> Option<GripperIdle> {
    (gripper.idle != IdleChoice::Off).then(|| GripperIdle {
        closed_below_rad: gripper.closed_below_deg.to_radians(),
        threshold_rad: gripper.idle_threshold_deg.to_radians(),
        time: Duration::from_secs_f64(gripper.idle_time_s),
        ends: gripper.idle == IdleChoice::End,
    })
}

fn frozen_picture(settings: &FrozenPictureConfig) -> Option<FrozenPicture> {
    (settings.action != FrozenPictureChoice::Off).then(|| FrozenPicture {
        time: Duration::from_secs_f64(settings.time_s),
        every_source: settings.every_source,
        ends: settings.action == FrozenPictureChoice::Stop,
    })
}

fn lead_limit_rad(safety: &config::SafetyConfig) -> [f64; JOINT_COUNT] {
    let mut limit_rad = [safety.lead_limit_deg.to_radians(); JOINT_COUNT];
    limit_rad[Joint::Gripper.index()] = safety.gripper_lead_limit_deg.to_radians();
    limit_rad
}
