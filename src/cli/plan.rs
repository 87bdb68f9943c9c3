//! From flags, configuration and bundle to a checked plan.

use std::path::{Path, PathBuf};
use std::time::Duration;

use calibration::JointLimits;
use clap::Args;
use firmware_protocol::{Generation, ServoAcceleration};
use nalgebra::{Point3, Vector3};

use super::exit::CliError;
use super::recording::ConfigurationText;
use super::terminal::Progress;
use crate::arm::LinkOptions;
use crate::camera::{CameraError, DatasetSource, FrameSource, PacedSource, SourceSpec, V4l2Source};
use crate::config::{
    self, AggregationChoice, ChunkConfig, Config, Firmware, FrozenPictureChoice, FrozenPictureConfig,
    GripperConfig, IdleChoice, PlateauChoice, PlateauConfig, RealTimeConfig, ScheduleChoice, StartPose,
};
use crate::control::{
    AfterLinkLoss, AfterStop, Aggregation, ChunkSchedule, ControlParameters, FrozenPicture, GripperIdle,
    JointBounds, KeepOutBox, MotionLimits, Park, Plateau, PlateauAction, ReachCylinder, Table, Workspace,
};
use crate::episode::Dataset;
use crate::inject::Drill;
use crate::policy::{
    Bundle, ChunkPolicy, ChunkProducer, Device, Engine, EngineOptions, LibraryCandidates, WarmUpStage,
    find_library,
};
use crate::runtime::{self, RealTimeSettings};
use crate::types::{
    DatasetAngles, JOINT_COUNT, Joint, JointAngles, MAX_CAMERAS, RealTimeChunking, ServoProfile,
};

/// Where a policy comes from and where it runs.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct PolicyFlags {
    /// Where inference runs: cpu, cuda, cuda:N, tensorrt or tensorrt:N; a device that is not available is an error
    #[arg(long, value_name = "DEVICE")]
    pub(super) device: Option<Device>,
    /// Threads for inference on the processor [default: all cores but one]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(super) threads: Option<usize>,
    /// Let idle inference threads spin: takes the cores of camera, link and control
    #[arg(long)]
    pub(super) spinning: bool,
    /// Replay each graph as a CUDA graph (on a GPU)
    #[arg(long)]
    pub(super) cuda_graph: bool,
    /// ONNX Runtime library to load [default: configuration, ORT_DYLIB_PATH, .cache, beside the program]
    #[arg(long, value_name = "FILE")]
    pub(super) onnxruntime: Option<PathBuf>,
}

/// The configuration file, or its defaults when there is none and none was asked for; and its text, for the run log.
pub(super) fn load_config(path: Option<&Path>) -> Result<(Config, ConfigurationText), CliError> {
    let found = path.map_or_else(|| PathBuf::from("roarm.toml"), Path::to_owned);
    match std::fs::read_to_string(&found) {
        Ok(text) => {
            let file = found.display().to_string();
            Ok((Config::parse(&text, &file)?, ConfigurationText { file, text }))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path.is_none() => {
            Ok((Config::defaults(), ConfigurationText::default()))
        }
        Err(source) => Err(CliError::File { path: found, source }),
    }
}

/// Finds ONNX Runtime: flag, configuration, environment, cache, beside the program.
pub(super) fn onnxruntime(flags: &PolicyFlags, config: &Config) -> Result<PathBuf, CliError> {
    let beside = std::env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
    let device = device(flags, config);
    let candidates = LibraryCandidates {
        flag: flags.onnxruntime.clone(),
        config: config.policy.library.clone(),
        environment: std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from),
        folders: library_folders(beside.as_deref(), device),
        device,
    };
    Ok(find_library(&candidates)?)
}

/// The cache of `cargo xtask setup`, in the working folder or above the program (`target/release` lies in the clone), then
/// the program's own folder; for a GPU the folder `onnxruntime-gpu` in it first.
fn library_folders(program: Option<&Path>, device: Device) -> Vec<PathBuf> {
    let (cache, beside) = match device {
        Device::Cpu => (".cache/onnxruntime/1.31.1", None),
        Device::Cuda { .. } | Device::TensorRt { .. } => {
            (".cache/onnxruntime-gpu/1.31.1", Some("onnxruntime-gpu"))
        }
    };
    let above =
        program.into_iter().flat_map(|folder| folder.ancestors().take(4)).map(|folder| folder.join(cache));
    let apart = program.and_then(|folder| beside.map(|name| folder.join(name)));
    std::iter::once(PathBuf::from(cache))
        .chain(above)
        .chain(apart)
        .chain(program.map(Path::to_owned))
        .collect()
}

/// The device that flags or configuration ask for.
pub(super) fn device(flags: &PolicyFlags, config: &Config) -> Device {
    flags.device.unwrap_or(match config.policy.device {
        config::Device::Cpu => Device::Cpu,
        config::Device::Cuda => Device::Cuda { index: 0 },
        config::Device::TensorRt => Device::TensorRt { index: 0 },
    })
}

/// Opens a bundle's engine.
pub(super) fn engine(bundle: &Bundle, flags: &PolicyFlags, config: &Config) -> Result<Engine, CliError> {
    let options = EngineOptions {
        device: device(flags, config),
        threads: flags
            .threads
            .or_else(|| config.policy.threads.and_then(|threads| usize::try_from(threads).ok())),
        spinning: flags.spinning || config.policy.spinning,
        cuda_graph: flags.cuda_graph || config.policy.cuda_graph,
        tensorrt_cache: Some(
            config.policy.tensorrt_cache.clone().unwrap_or_else(|| PathBuf::from(".cache/tensorrt")),
        ),
        action_scale: config.policy.action_scale as f32,
        // Control gives a chunk up a little earlier, and names the cause; this frees the device then.
        limit: Some(inference_timeout(config) + Duration::from_millis(500)),
        ..EngineOptions::new(onnxruntime(flags, config)?)
    };
    Ok(Engine::new(bundle, &options)?)
}

/// How long control waits for a chunk.
fn inference_timeout(config: &Config) -> Duration {
    Duration::from_millis(config.safety.max_observation_age_ms.into()) + Duration::from_secs(1)
}

/// What people read while the policy warms up.
pub(super) fn warm_up_text(device: Device, stage: WarmUpStage) -> String {
    match stage {
        WarmUpStage::Vision { slot, slots } => {
            format!("warming up on {device}: camera {} of {slots}", slot + 1)
        }
        WarmUpStage::Flow => format!("warming up on {device}: the flow loop"),
    }
}

/// An engine that knows its task, warmed up, with seeded noise.
pub(super) fn producer(
    mut engine: Engine,
    task: &str,
    seed: u64,
    chunks: &ChunkConfig,
    drill: Option<&Drill>,
) -> Result<ChunkProducer, CliError> {
    if task.trim().is_empty() {
        return Err(CliError::Arguments(
            "the task is empty: pass --task with the instruction that the policy was trained on".to_owned(),
        ));
    }
    engine.set_task(task)?;
    let (device, mut progress) = (engine.device(), Progress::new());
    let warmed_up = engine.warm_up_with(|stage| progress.update(|| warm_up_text(device, stage)));
    progress.finish();
    warmed_up?;
    let policy: Box<dyn ChunkPolicy> = Box::new(engine);
    let policy = match drill {
        Some(drill) => drill.policy(policy),
        None => policy,
    };
    Ok(ChunkProducer::new(policy, seed).with_real_time_chunking(real_time_chunking(chunks)))
}

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
pub(super) fn real_time(config: &Config, control_cpu: Option<usize>) -> RealTimeSettings {
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
pub(super) fn configured(config: &Config, generation: Generation) -> ControlParameters {
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

/// Longer than the age of feedback at which control stops the arm, a silent board is waited for before the connection counts as lost.
const STOP_BEFORE_LOSS: Duration = Duration::from_millis(750);

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

/// How the policy's side guides chunks that go on from others.
pub(super) fn real_time_chunking(chunks: &ChunkConfig) -> RealTimeChunking {
    RealTimeChunking {
        schedule: chunks.prefix_attention_schedule,
        execution_horizon: usize::try_from(chunks.execution_horizon).unwrap_or(usize::MAX),
        max_guidance_weight: chunks.max_guidance_weight as f32,
        ..RealTimeChunking::default()
    }
}

/// Where the arm may be.
pub(super) fn workspace(safety: &config::SafetyConfig) -> Workspace {
    let metres = |millimetres: f64| millimetres * 1e-3;
    let keep_out = safety.keep_out_mm.iter().map(|corners| {
        let [x0, y0, z0, x1, y1, z1] = corners.map(metres);
        KeepOutBox {
            centre_m: Point3::new((x0 + x1) / 2.0, (y0 + y1) / 2.0, (z0 + z1) / 2.0),
            half_size_m: Vector3::new((x1 - x0).abs(), (y1 - y0).abs(), (z1 - z0).abs()) / 2.0,
            yaw_rad: 0.0,
            clearance_m: 0.0,
        }
    });
    Workspace {
        self_margin_m: metres(safety.self_margin_mm),
        table: safety.table.then(|| Table { height_m: 0.0, clearance_m: metres(safety.table_clearance_mm) }),
        reach_cylinder: safety
            .reach_mm
            .map(|radius_mm| ReachCylinder { radius_m: metres(radius_mm), top_m: f64::INFINITY }),
        reach_sphere: None,
        keep_out: keep_out.collect(),
    }
}

/// Where the policy's own motion may be: down to the table, since what is to be gripped lies on it. `table_clearance_mm` is for ways
/// that nobody but the program chose.
fn gate_workspace(safety: &config::SafetyConfig) -> Workspace {
    let on_the_table = |table: Table| Table { clearance_m: 0.0, ..table };
    let workspace = workspace(safety);
    Workspace { table: workspace.table.map(on_the_table), ..workspace }
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

/// Where a run parks at its own end: the flag's pose, else the configuration's.
pub(super) fn park(
    flag: Option<&ParkPose>,
    config: &Config,
    bundle: &Bundle,
) -> Result<Option<Park>, CliError> {
    let choice = match flag {
        Some(ParkPose(choice)) => choice.as_ref(),
        None => config.motion.park_pose.as_ref(),
    };
    let Some(choice) = choice else { return Ok(None) };
    let pose = start_pose(choice, bundle, &[])?;
    Ok(pose.map(|pose| Park { pose, release_torque: config.motion.torque_off_after_park }))
}

/// Where the arm goes at the end of something that no policy plays.
pub(super) fn park_without_policy(
    flag: Option<&ParkPose>,
    config: &Config,
) -> Result<Option<Park>, CliError> {
    let choice = match flag {
        Some(ParkPose(choice)) => choice.as_ref(),
        None => config.motion.park_pose.as_ref(),
    };
    let pose = match choice {
        None | Some(StartPose::Current) => return Ok(None),
        Some(StartPose::Zero) => JointAngles::ZERO,
        Some(StartPose::Home) => home(),
        Some(StartPose::Degrees(degrees)) => DatasetAngles::from_array_deg(*degrees).into(),
        Some(StartPose::DatasetMean | StartPose::Episode) => {
            return Err(CliError::Arguments(
                "the park pose dataset-mean is a policy's: give --park home, zero, off or six degrees"
                    .to_owned(),
            ));
        }
    };
    Ok(Some(Park { pose, release_torque: config.motion.torque_off_after_park }))
}

/// The link's settings.
pub(super) fn link_options(config: &Config, generation: Option<Generation>) -> LinkOptions {
    // The core ends the run for a lost link by itself where it must not go on.
    let reconnect_timeout = match config.safety.after_link_loss {
        config::AfterLinkLoss::Resume => Duration::from_secs_f64(config.safety.reconnect_timeout_s),
        config::AfterLinkLoss::End => Duration::ZERO,
    };
    let usual = LinkOptions::default();
    // Control stops the arm for old feedback before the link gives the connection up, and has time to brake and hold.
    let after_the_stop = Duration::from_millis(config.safety.max_feedback_age_ms.into()) + STOP_BEFORE_LOSS;
    LinkOptions {
        generation,
        reconnect_timeout,
        feedback_timeout: usual.feedback_timeout.max(after_the_stop),
        stop_deceleration_rad_s2: config.motion.stop_deceleration_deg_s2.to_radians(),
        ..usual
    }
}

/// The pose that `--start-pose` or the configuration names; `None` for "where the arm stands".
pub(super) fn start_pose(
    choice: &StartPose,
    bundle: &Bundle,
    cameras: &[SourceSpec],
) -> Result<Option<JointAngles>, CliError> {
    Ok(match choice {
        StartPose::Zero => Some(JointAngles::ZERO),
        StartPose::Home => Some(home()),
        StartPose::DatasetMean => Some(bundle.normalization().state.mean_pose().into()),
        StartPose::Current => None,
        StartPose::Degrees(angles_deg) => Some(DatasetAngles::from_array_deg(*angles_deg).into()),
        StartPose::Episode => {
            let recorded = cameras.iter().find_map(|camera| match camera {
                SourceSpec::Dataset(spec) => Some(spec),
                _ => None,
            });
            let spec = recorded.ok_or_else(|| {
                CliError::Arguments(
                    "--start-pose episode takes the first pose of the recorded episode that is the camera: use it with --camera dataset:DIR:EPISODE".to_owned(),
                )
            })?;
            let episode = Dataset::open(&spec.folder).and_then(|dataset| dataset.episode(spec.episode));
            let episode = episode.map_err(CameraError::from)?;
            episode.states.first().copied().map(JointAngles::from)
        }
    })
}

/// The firmware's home: upper arm upright, forearm level, gripper closed.
pub(super) fn home() -> JointAngles {
    let mut pose = JointAngles::ZERO;
    pose.set(Joint::Elbow, std::f64::consts::FRAC_PI_2);
    pose
}

/// Assigns `--camera [SLOT=]SOURCE` flags to the policy's slots, in its order. Without flags, the cameras of the configuration:
/// those that its table of the arm names, or all.
pub(super) fn camera_specs(
    flags: &[String],
    arm: &str,
    config: &Config,
    bundle: &Bundle,
) -> Result<Vec<SourceSpec>, CliError> {
    let slots = bundle.slots();
    let mut specs: Vec<Option<SourceSpec>> = vec![None; slots.len()];
    let own = config.arms.get(arm).map(|arm| &arm.cameras).filter(|names| !names.is_empty());
    let configured = config
        .cameras
        .iter()
        .filter(|(name, _)| flags.is_empty() && own.is_none_or(|own| own.contains(name)));
    for (name, camera) in configured {
        specs[bundle.slot_index(name)?] = Some(SourceSpec::parse(&camera.source)?);
    }
    for flag in flags {
        let (slot, source) = match flag.split_once('=').filter(|(slot, _)| !slot.contains([':', '?', '/'])) {
            Some((slot, source)) => (bundle.slot_index(slot)?, source),
            None if slots.len() == 1 => (0, flag.as_str()),
            None => {
                return Err(CliError::Arguments(format!(
                    "the policy has {} camera slots: name the one that `{flag}` is for, as in --camera {}={flag}",
                    slots.len(),
                    slots.first().map_or("SLOT", |slot| slot.short_name())
                )));
            }
        };
        if specs[slot].replace(SourceSpec::parse(source)?).is_some() {
            return Err(CliError::Arguments(format!("camera slot {} is given twice", slots[slot].name)));
        }
    }
    specs
        .into_iter()
        .zip(slots)
        .map(|(spec, slot)| {
            spec.ok_or_else(|| {
                CliError::Arguments(format!(
                    "the policy's camera slot {} has no camera: add --camera {}=v4l2:/dev/video0 (or dataset:DIR:EPISODE)",
                    slot.name,
                    slot.short_name()
                ))
            })
        })
        .collect()
}

/// Opens a camera for a live run. A simulated cell needs an emulated arm: see `roarm demo`.
pub(super) fn open_camera(spec: &SourceSpec) -> Result<Box<dyn FrameSource>, CliError> {
    Ok(match spec {
        SourceSpec::V4l2(spec) => Box::new(V4l2Source::open(spec)?),
        SourceSpec::Dataset(spec) => Box::new(PacedSource::new(DatasetSource::open(spec)?, runtime::now)),
        SourceSpec::Cell { .. } => {
            return Err(CliError::Arguments(
                "the simulated cell shows the emulated arm, which only `roarm demo` has: use that, or another camera".to_owned(),
            ));
        }
    })
}

/// `--duration` as a length of time.
pub(super) fn duration(seconds: f64) -> Result<Duration, CliError> {
    Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero()).ok_or_else(|| {
        CliError::Arguments(format!("--duration {seconds} is no length of time: give seconds above 0"))
    })
}

/// A flag's text as a number of threads, as `roarm.toml` allows it.
pub(super) fn parse_threads(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|threads| (1..=256).contains(threads))
        .ok_or_else(|| "give a number from 1 to 256".to_owned())
}

/// A flag's text as a start pose.
pub(super) fn parse_start_pose(text: &str) -> Result<StartPose, String> {
    match text {
        "zero" => Ok(StartPose::Zero),
        "home" => Ok(StartPose::Home),
        "dataset-mean" => Ok(StartPose::DatasetMean),
        "current" => Ok(StartPose::Current),
        "episode" => Ok(StartPose::Episode),
        list => {
            let degrees: Option<Vec<f64>> =
                list.split(',').map(|degree| degree.trim().parse().ok()).collect();
            let inside = |degrees: &[f64; 6]| degrees.iter().all(|degree| (-180.0..=180.0).contains(degree));
            degrees.and_then(|degrees| <[f64; 6]>::try_from(degrees).ok()).filter(inside).map(StartPose::Degrees).ok_or_else(
                || "use zero, home, dataset-mean, current, episode, or six degrees from -180 to 180 such as 0,20,60,40,0,10".to_owned(),
            )
        }
    }
}

/// What `--park` says; `off` is none.
#[derive(Clone, Debug)]
pub(super) struct ParkPose(Option<StartPose>);

/// A flag's text as a park pose.
pub(super) fn parse_park_pose(text: &str) -> Result<ParkPose, String> {
    match text {
        "off" => Ok(ParkPose(None)),
        "current" | "episode" => Err(String::new()),
        other => parse_start_pose(other).map(|pose| ParkPose(Some(pose))),
    }
    .map_err(|_| {
        "use off, zero, home, dataset-mean, or six degrees from -180 to 180 such as 0,20,60,40,0,10"
            .to_owned()
    })
}

/// A flag's text as a schedule.
pub(super) fn parse_schedule(text: &str) -> Result<ScheduleChoice, String> {
    match text {
        "sync" => Ok(ScheduleChoice::Sync),
        "async" => Ok(ScheduleChoice::Async),
        "rtc" => Ok(ScheduleChoice::RealTime),
        _ => Err("use sync, async or rtc".to_owned()),
    }
}

/// A flag's text as a firmware generation.
pub(super) fn parse_firmware(text: &str) -> Result<Firmware, String> {
    match text {
        "auto" => Ok(Firmware::Auto),
        "g1" => Ok(Firmware::G1),
        "g1b" => Ok(Firmware::G1b),
        "g3" => Ok(Firmware::G3),
        _ => Err("use auto, g1, g1b or g3".to_owned()),
    }
}

/// The generation that was named; `None` to detect it.
pub(super) const fn generation(firmware: Firmware) -> Option<Generation> {
    match firmware {
        Firmware::Auto => None,
        Firmware::G1 => Some(Generation::G1),
        Firmware::G1b => Some(Generation::G1b),
        Firmware::G3 => Some(Generation::G3),
    }
}
