//! The tables of the file as typed settings.

use std::path::PathBuf;

use toml::de::DeValue;

use super::chunks::ChunkConfig;
use super::error::ConfigError;
use super::reader::{Section, as_number};

/// `[arm.NAME]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArmConfig {
    /// Serial device, for example `/dev/ttyUSB0` or a stable name below `/dev/serial/by-id/`.
    pub port: PathBuf,
    /// Firmware generation of the board.
    pub firmware: Firmware,
    /// Names of the `[camera.SLOT]` tables that belong to this arm; empty: all of them.
    pub cameras: Vec<String>,
}

/// Which firmware generation the board has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Firmware {
    /// Told from the board's feedback at start.
    #[default]
    Auto,
    /// The official example of 2025-01-08.
    G1,
    /// As G1 with narrower clamps of elbow and hand.
    G1b,
    /// The official example of 2026-07-01.
    G3,
}

impl ArmConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            port: section.text("port", "path of a serial device, required", "/dev/ttyUSB0")?.into(),
            firmware: section.choice(
                "firmware",
                &[
                    ("auto", Firmware::Auto),
                    ("g1", Firmware::G1),
                    ("g1b", Firmware::G1b),
                    ("g3", Firmware::G3),
                ],
            )?,
            cameras: section.texts("cameras", "names of [camera.SLOT] tables; empty: all")?,
        })
    }
}

/// `[camera.SLOT]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraConfig {
    /// The frame source as `--camera` takes it: `v4l2:/dev/video0`, `dataset:DIR:EPISODE`, `cell`.
    pub source: String,
}

impl CameraConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let allowed = "a frame source, required";
        Ok(Self { source: section.text("source", allowed, "v4l2:/dev/video0")? })
    }
}

/// `[motion]`
#[derive(Clone, Debug, PartialEq)]
pub struct MotionConfig {
    /// Speed of the ramp to the start pose, degrees a second.
    pub ramp_speed_deg_s: f64,
    /// Highest joint velocity of a command, degrees a second.
    pub max_velocity_deg_s: f64,
    /// Highest joint acceleration between commands, degrees a second squared.
    pub max_acceleration_deg_s2: f64,
    /// Highest jerk of the way on which the policy's actions are followed, degrees a second cubed.
    pub max_jerk_deg_s3: f64,
    /// Deceleration of the stop ramp, degrees a second squared.
    pub stop_deceleration_deg_s2: f64,
    /// Rate of the control tick, hertz.
    pub command_rate_hz: f64,
    /// Most that the speed in a T:102 may be, servo steps a second (4096 steps a turn).
    pub servo_speed_steps_s: u16,
    /// Most that the acceleration in a T:102 may be, units of 100 steps a second squared.
    pub servo_acceleration: u8,
    /// Where the arm goes before the policy starts.
    pub start_pose: StartPose,
    /// Where the arm goes when a run comes to its own end; `None`: it holds where it is.
    pub park_pose: Option<StartPose>,
    /// Whether the servos let go at the park pose.
    pub torque_off_after_park: bool,
    /// The largest step at a seam over the largest one inside chunks, beyond which a run counts as failed.
    pub fail_above_seam_ratio: Option<f64>,
    /// The jerk, degrees a second cubed, beyond which a run counts as failed.
    pub fail_above_jerk_deg_s3: Option<f64>,
    /// The share of ticks that waited for a chunk beyond which a run counts as failed.
    pub fail_above_waiting_share: Option<f64>,
}

/// Where the arm goes before the policy starts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum StartPose {
    /// All joints at 0.
    Zero,
    /// The pose of the firmware after boot.
    Home,
    /// The mean state of the dataset that the policy was trained on.
    #[default]
    DatasetMean,
    /// Where it is.
    Current,
    /// The first state of the episode that a `dataset:` camera plays.
    Episode,
    /// Dataset degrees: base, shoulder, elbow, wrist, roll, gripper.
    Degrees([f64; 6]),
}

const MOTION: MotionConfig = MotionConfig {
    ramp_speed_deg_s: 15.0,
    max_velocity_deg_s: 90.0,
    max_acceleration_deg_s2: 600.0,
    max_jerk_deg_s3: 6000.0,
    stop_deceleration_deg_s2: 900.0,
    command_rate_hz: 50.0,
    servo_speed_steps_s: 2000,
    servo_acceleration: 254,
    start_pose: StartPose::DatasetMean,
    park_pose: None,
    torque_off_after_park: false,
    fail_above_seam_ratio: None,
    fail_above_jerk_deg_s3: None,
    fail_above_waiting_share: None,
};

impl Default for MotionConfig {
    fn default() -> Self {
        MOTION
    }
}

impl MotionConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let default = MOTION;
        Ok(Self {
            // The design allows 15 degrees a second for a first motion; a slower ramp only takes longer.
            ramp_speed_deg_s: section.number("ramp_speed_deg_s", default.ramp_speed_deg_s, 1.0..=15.0)?,
            // The servos reach 270 degrees a second without load.
            max_velocity_deg_s: section.number(
                "max_velocity_deg_s",
                default.max_velocity_deg_s,
                1.0..=270.0,
            )?,
            max_acceleration_deg_s2: section.number(
                "max_acceleration_deg_s2",
                default.max_acceleration_deg_s2,
                10.0..=5000.0,
            )?,
            max_jerk_deg_s3: section.number("max_jerk_deg_s3", default.max_jerk_deg_s3, 100.0..=100_000.0)?,
            stop_deceleration_deg_s2: section.number(
                "stop_deceleration_deg_s2",
                default.stop_deceleration_deg_s2,
                10.0..=5000.0,
            )?,
            command_rate_hz: section.number("command_rate_hz", default.command_rate_hz, 5.0..=200.0)?,
            // 0 would mean "as fast as it can" to the board.
            servo_speed_steps_s: narrow(section.whole(
                "servo_speed_steps_s",
                default.servo_speed_steps_s.into(),
                1..=3070,
            )?),
            servo_acceleration: narrow(section.whole(
                "servo_acceleration",
                default.servo_acceleration.into(),
                1..=254,
            )?),
            start_pose: StartPose::read(section)?,
            park_pose: StartPose::read_park(section)?,
            torque_off_after_park: section.choice("torque_off_after_park", OFF_ON)?,
            fail_above_seam_ratio: section.optional_number("fail_above_seam_ratio", 1.0..=100.0)?,
            fail_above_jerk_deg_s3: section.optional_number("fail_above_jerk_deg_s3", 1.0..=1_000_000.0)?,
            fail_above_waiting_share: section.optional_number("fail_above_waiting_share", 0.0..=1.0)?,
        })
    }
}

impl StartPose {
    fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let allowed =
            "\"zero\", \"home\", \"dataset-mean\", \"current\", \"episode\", or six degrees from -180 to 180";
        let words = [
            ("zero", Self::Zero),
            ("home", Self::Home),
            ("dataset-mean", Self::DatasetMean),
            ("current", Self::Current),
            ("episode", Self::Episode),
        ];
        Ok(read_pose(section, "start_pose", "\"dataset-mean\"", allowed, &words, Self::Degrees)?
            .unwrap_or_default())
    }

    fn read_park(section: &mut Section<'_>) -> Result<Option<Self>, ConfigError> {
        let allowed = "\"off\", \"zero\", \"home\", \"dataset-mean\", or six degrees from -180 to 180";
        let words = [
            ("off", None),
            ("zero", Some(Self::Zero)),
            ("home", Some(Self::Home)),
            ("dataset-mean", Some(Self::DatasetMean)),
        ];
        let degrees = |degrees| Some(Self::Degrees(degrees));
        Ok(read_pose(section, "park_pose", "\"off\"", allowed, &words, degrees)?.flatten())
    }
}

/// A pose by one of these words or by six degrees.
fn read_pose<T: Copy>(
    section: &mut Section<'_>,
    key: &'static str,
    default: &str,
    allowed: &str,
    words: &[(&str, T)],
    of_degrees: impl FnOnce([f64; 6]) -> T,
) -> Result<Option<T>, ConfigError> {
    let Some(value) = section.any(key, default, allowed) else { return Ok(None) };
    match value {
        DeValue::String(text) => {
            let found = words.iter().find(|(word, _)| word == text).map(|(_, pose)| *pose);
            found.map(Some).ok_or_else(|| section.out_of_range(key, &format!("{text:?}"), allowed))
        }
        DeValue::Array(items) => {
            let degrees: Option<Vec<f64>> = items.iter().map(|item| as_number(item.get_ref())).collect();
            let inside = |degrees: &[f64; 6]| degrees.iter().all(|degree| (-180.0..=180.0).contains(degree));
            let degrees = degrees.and_then(|degrees| <[f64; 6]>::try_from(degrees).ok()).filter(inside);
            let pose = degrees.map(of_degrees);
            pose.map(Some).ok_or_else(|| section.out_of_range(key, "that list", allowed))
        }
        other => Err(section.wrong_type(key, "a word or a list of six degrees", other)),
    }
}

/// What follows a protective or emergency stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterStop {
    /// The run ends; the arm holds.
    #[default]
    End,
    /// The arm holds until it is reset at the terminal.
    Wait,
}

/// What follows a lost link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterLinkLoss {
    /// Once it is back, the way back is proposed as at the start.
    #[default]
    Resume,
    /// The run ends.
    End,
}

/// `[safety]`
#[derive(Clone, Debug, PartialEq)]
pub struct SafetyConfig {
    /// Oldest feedback to move on, milliseconds.
    pub max_feedback_age_ms: u32,
    /// Oldest camera frame to start a chunk from, milliseconds.
    pub max_frame_age_ms: u32,
    /// Oldest observation that a chunk may answer when it arrives, milliseconds; inference is given up a second later.
    pub max_observation_age_ms: u32,
    /// Dropped chunks in a row that end the run with a protective stop.
    pub rejections_before_stop: u32,
    /// Margin beyond the dataset's minimum and maximum, as a share of that range.
    pub trained_range_margin: f64,
    /// Least height of the arm over the table, millimetres.
    pub table_clearance_mm: f64,
    /// Whether there is a table at the height of the arm's foot.
    pub table: bool,
    /// Least distance between links of the arm itself, millimetres.
    pub self_margin_mm: f64,
    /// Radius about the base axis that the arm stays inside, millimetres; `None`: as far as it reaches.
    pub reach_mm: Option<f64>,
    /// Boxes that the arm keeps out of, world frame, millimetres: x, y, z of one corner, then of the opposite one.
    pub keep_out_mm: Vec<[f64; 6]>,
    /// How long the policy may ask for poses outside the workspace before the arm stops, seconds.
    pub workspace_patience_s: f64,
    /// A joint further than this from its goal that does not move towards it, degrees …
    pub tracking_error_deg: f64,
    /// … for so long, milliseconds, stops the arm.
    pub tracking_time_ms: u32,
    /// How far a goal may run ahead of the measured pose, degrees: what the arm still travels when this program dies.
    pub lead_limit_deg: f64,
    /// The same for the gripper, which presses on what it holds with the difference.
    pub gripper_lead_limit_deg: f64,
    /// What follows a protective or emergency stop.
    pub after_stop: AfterStop,
    /// What follows a lost link.
    pub after_link_loss: AfterLinkLoss,
    /// How long a lost port may stay away, seconds.
    pub reconnect_timeout_s: f64,
}

const SAFETY: SafetyConfig = SafetyConfig {
    max_feedback_age_ms: 250,
    max_frame_age_ms: 500,
    max_observation_age_ms: 2000,
    rejections_before_stop: 10,
    trained_range_margin: 0.10,
    table_clearance_mm: 10.0,
    table: true,
    self_margin_mm: 5.0,
    reach_mm: None,
    keep_out_mm: Vec::new(),
    workspace_patience_s: 2.0,
    tracking_error_deg: 6.5,
    tracking_time_ms: 1000,
    lead_limit_deg: 8.0,
    gripper_lead_limit_deg: 25.0,
    after_stop: AfterStop::End,
    after_link_loss: AfterLinkLoss::Resume,
    reconnect_timeout_s: 20.0,
};

impl Default for SafetyConfig {
    fn default() -> Self {
        SAFETY
    }
}

impl SafetyConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let default = SAFETY;
        let keep_out_mm = read_boxes(section)?;
        let mut whole = |key, default: u32, range| section.whole(key, default.into(), range).map(narrow);
        Ok(Self {
            max_feedback_age_ms: whole("max_feedback_age_ms", default.max_feedback_age_ms, 50..=2_000)?,
            max_frame_age_ms: whole("max_frame_age_ms", default.max_frame_age_ms, 50..=5_000)?,
            max_observation_age_ms: whole(
                "max_observation_age_ms",
                default.max_observation_age_ms,
                100..=60_000,
            )?,
            rejections_before_stop: whole(
                "rejections_before_stop",
                default.rejections_before_stop,
                1..=1_000,
            )?,
            tracking_time_ms: whole("tracking_time_ms", default.tracking_time_ms, 100..=10_000)?,
            trained_range_margin: section.number(
                "trained_range_margin",
                default.trained_range_margin,
                0.0..=1.0,
            )?,
            table_clearance_mm: section.number(
                "table_clearance_mm",
                default.table_clearance_mm,
                0.0..=200.0,
            )?,
            table: section.choice("table", &[("on", true), ("off", false)])?,
            self_margin_mm: section.number("self_margin_mm", default.self_margin_mm, 0.0..=50.0)?,
            reach_mm: section.optional_number("reach_mm", 100.0..=1_000.0)?,
            keep_out_mm,
            workspace_patience_s: section.number(
                "workspace_patience_s",
                default.workspace_patience_s,
                0.1..=3600.0,
            )?,
            tracking_error_deg: section.number(
                "tracking_error_deg",
                default.tracking_error_deg,
                1.0..=30.0,
            )?,
            lead_limit_deg: section.number("lead_limit_deg", default.lead_limit_deg, 2.0..=30.0)?,
            gripper_lead_limit_deg: section.number(
                "gripper_lead_limit_deg",
                default.gripper_lead_limit_deg,
                2.0..=90.0,
            )?,
            after_stop: section
                .choice("after_stop", &[("end", AfterStop::End), ("wait", AfterStop::Wait)])?,
            after_link_loss: section.choice(
                "after_link_loss",
                &[("resume", AfterLinkLoss::Resume), ("end", AfterLinkLoss::End)],
            )?,
            reconnect_timeout_s: section.number(
                "reconnect_timeout_s",
                default.reconnect_timeout_s,
                0.0..=600.0,
            )?,
        })
    }
}

/// `keep_out_mm`: a list of boxes of six numbers.
fn read_boxes(section: &mut Section<'_>) -> Result<Vec<[f64; 6]>, ConfigError> {
    let (key, allowed) = ("keep_out_mm", "a list of boxes [x, y, z, x, y, z], each from -2000 to 2000");
    let Some(value) = section.any(key, "[]", allowed) else { return Ok(Vec::new()) };
    let DeValue::Array(boxes) = value else {
        return Err(section.wrong_type(key, allowed, value));
    };
    let corners = |item: &DeValue<'_>| -> Option<[f64; 6]> {
        let DeValue::Array(numbers) = item else { return None };
        let numbers: Option<Vec<f64>> = numbers.iter().map(|number| as_number(number.get_ref())).collect();
        let inside = |numbers: &[f64; 6]| numbers.iter().all(|number| (-2000.0..=2000.0).contains(number));
        <[f64; 6]>::try_from(numbers?).ok().filter(inside)
    };
    let read: Option<Vec<[f64; 6]>> = boxes.iter().map(|item| corners(item.get_ref())).collect();
    read.ok_or_else(|| section.out_of_range(key, "that list", allowed))
}

/// `[policy]`: defaults of the flags with the same names.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyConfig {
    /// The policy bundle's folder.
    pub path: Option<PathBuf>,
    /// What the policy is told to do.
    pub task: Option<String>,
    /// Rate of the actions, hertz; `None`: the bundle's.
    pub fps: Option<f64>,
    /// Actions of a chunk that are played before the next one; `None`: the bundle's.
    pub n_action_steps: Option<u32>,
    /// What computes.
    pub device: Device,
    /// Threads of the inference engine; `None`: all cores but one.
    pub threads: Option<u32>,
    /// The ONNX Runtime library; `None`: looked for in the usual places.
    pub library: Option<PathBuf>,
    /// Whether idle threads of the inference engine spin.
    pub spinning: bool,
    /// Whether each graph is replayed as a CUDA graph, on a GPU.
    pub cuda_graph: bool,
    /// Where TensorRT keeps its engines; `None`: `.cache/tensorrt`.
    pub tensorrt_cache: Option<PathBuf>,
    /// What z-scores are multiplied with before they become degrees.
    pub action_scale: f64,
    /// Seed of the policy's noise.
    pub seed: u64,
    /// How chunks follow each other.
    pub chunks: ChunkConfig,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            path: None,
            task: None,
            fps: None,
            n_action_steps: None,
            device: Device::Cpu,
            threads: None,
            library: None,
            spinning: false,
            cuda_graph: false,
            tensorrt_cache: None,
            action_scale: 1.0,
            seed: 0,
            chunks: ChunkConfig::default(),
        }
    }
}

/// What computes the policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU; an error where it cannot be used.
    Cuda,
    /// An NVIDIA GPU through TensorRT; an error where it cannot be used.
    TensorRt,
}

const OFF_ON: &[(&str, bool)] = &[("off", false), ("on", true)];

impl PolicyConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            path: section.optional_text("path", "folder of a policy bundle")?.map(PathBuf::from),
            task: section.optional_text("task", "a sentence")?,
            fps: section.optional_number("fps", 1.0..=200.0)?,
            n_action_steps: section.optional_whole("n_action_steps", 1..=1_000)?.map(narrow),
            device: section.choice(
                "device",
                &[("cpu", Device::Cpu), ("cuda", Device::Cuda), ("tensorrt", Device::TensorRt)],
            )?,
            threads: section.optional_whole("threads", 1..=256)?.map(narrow),
            library: section.optional_text("library", "path of libonnxruntime.so")?.map(PathBuf::from),
            spinning: section.choice("spinning", OFF_ON)?,
            cuda_graph: section.choice("cuda_graph", OFF_ON)?,
            tensorrt_cache: section.optional_text("tensorrt_cache", "a folder")?.map(PathBuf::from),
            action_scale: section.number("action_scale", 1.0, 0.0..=1.0)?,
            seed: section.whole("seed", 0, 0..=u64::MAX)?,
            chunks: ChunkConfig::read(section)?,
        })
    }
}

/// `[realtime]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealTimeConfig {
    /// `SCHED_FIFO` priority of the control thread; 0 keeps the normal scheduling.
    pub priority: u8,
    /// The core that the control thread is bound to.
    pub control_cpu: Option<usize>,
    /// Whether the control thread's stack and mailboxes are kept from being swapped out.
    pub lock_memory: bool,
}

const REAL_TIME: RealTimeConfig = RealTimeConfig { priority: 40, control_cpu: None, lock_memory: true };

impl Default for RealTimeConfig {
    fn default() -> Self {
        REAL_TIME
    }
}

impl RealTimeConfig {
    pub(super) fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            // The kernel's own threads for interrupts have 50, and 99 is its watchdog's.
            priority: narrow(section.whole("priority", REAL_TIME.priority.into(), 0..=98)?),
            control_cpu: section.optional_whole("control_cpu", 0..=1_023)?.map(narrow),
            lock_memory: section.choice("lock_memory", &[("on", true), ("off", false)])?,
        })
    }
}

/// A whole number that its range has already kept within `T`.
fn narrow<T: TryFrom<u64> + Default>(number: u64) -> T {
    T::try_from(number).unwrap_or_default()
}
