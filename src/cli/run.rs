//! `roarm run`: a policy on the arm.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use firmware_protocol::Generation;

use super::consent::Consent;
use super::exit::{CliError, Exit};
use super::inject;
use super::live::{self, LiveRun};
use super::plan::{self, ControlSettings, ParkPose, PolicyFlags};
use super::recording::{self, LogFlags, RunFacts};
use super::signals::Signals;
use super::terminal;
use crate::arm::port::{SystemFiles, check_port};
use crate::arm::{ArmHandle, LinkHooks, SerialArm};
use crate::camera::FrameSource;
use crate::config::{Config, Firmware, ScheduleChoice, StartPose};
use crate::inject::Drill;
use crate::policy::{Bundle, CameraFit};
use crate::runtime::RealTimeSettings;

#[derive(Args, Debug)]
pub(super) struct RunFlags {
    /// The arm: a serial port, or a name from [arm.NAME] of the configuration
    #[arg(long, value_name = "NAME|PORT")]
    arm: String,
    /// A camera: v4l2:/dev/videoN or dataset:DIR:EPISODE; with SLOT= in front where the policy has several slots
    #[arg(long, value_name = "[SLOT=]SOURCE")]
    camera: Vec<String>,
    /// The policy bundle's folder
    #[arg(long, value_name = "DIR")]
    policy: Option<PathBuf>,
    /// The instruction, as in the training data
    #[arg(long, value_name = "TEXT")]
    task: Option<String>,
    /// Seconds that the policy may move the arm [default: until stopped]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    duration: Option<f64>,
    /// Where to start: zero, home, dataset-mean, current, episode, or six degrees as in 0,20,60,40,0,10
    #[arg(long, value_name = "POSE", value_parser = plan::parse_start_pose, allow_hyphen_values = true)]
    start_pose: Option<StartPose>,
    /// Where to go at the end of --duration: off, zero, home, dataset-mean, or six degrees [default: off, the arm holds]
    #[arg(long, value_name = "POSE", value_parser = plan::parse_park_pose, allow_hyphen_values = true)]
    park: Option<ParkPose>,
    /// Actions of each chunk to play before the next observation [default: the policy's own]
    #[arg(long, value_name = "N")]
    n_action_steps: Option<usize>,
    /// Actions a second [default: the policy's own]
    #[arg(long, value_name = "HZ", allow_negative_numbers = true)]
    fps: Option<f64>,
    /// Seed of the policy's noise
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Firmware generation: auto, g1, g1b or g3
    #[arg(long, value_name = "G", value_parser = plan::parse_firmware)]
    firmware: Option<Firmware>,
    /// When the next chunk is computed: sync (after the last one), async or rtc (while it plays; rtc guides it)
    #[arg(long, value_name = "S", value_parser = plan::parse_schedule)]
    schedule: Option<ScheduleChoice>,
    /// What goes wrong, and when: NAME[=VALUE][@START][:DURATION], with commas; --inject help lists all
    #[arg(long, value_name = "LIST")]
    inject: Option<String>,
    /// Bind the control thread to this core
    #[arg(long, value_name = "N")]
    control_cpu: Option<usize>,
    /// Configuration file [default: roarm.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Accept cameras whose aspect is not that of the training pictures
    #[arg(long)]
    any_picture_size: bool,
    /// Do not wait for Enter before the first motion of a real arm
    #[arg(long)]
    yes: bool,
    /// Check everything that can be checked without opening the port, then end
    #[arg(long)]
    dry_run: bool,
    /// Print the summary as one JSON object on the last line of standard output
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    log: LogFlags,
    #[command(flatten)]
    inference: PolicyFlags,
}

/// The port and firmware that `--arm` means.
pub(super) fn resolve_arm(
    name: &str,
    firmware: Option<Firmware>,
    config: &Config,
) -> Result<(PathBuf, Option<Generation>), CliError> {
    let named = config.arms.get(name);
    let port = match named {
        Some(arm) => arm.port.clone(),
        None if name.contains('/') => PathBuf::from(name),
        None => {
            let known: Vec<&str> = config.arms.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(CliError::Arguments(format!(
                "no arm is named `{name}` in the configuration (there is: {known}): give a port such as /dev/ttyUSB0, or add \
                 [arm.{name}]"
            )));
        }
    };
    let firmware = firmware.or_else(|| named.map(|arm| arm.firmware)).unwrap_or_default();
    Ok((port, plan::generation(firmware)))
}

pub(super) fn run(flags: &RunFlags) -> Result<Exit, CliError> {
    if inject::is_help(flags.inject.as_deref()) {
        terminal::print(inject::table());
        return Ok(Exit::Done);
    }
    let drill = inject::drill(flags.inject.as_deref())?;
    let (mut config, configuration) = plan::load_config(flags.config.as_deref())?;
    if let Some(schedule) = flags.schedule {
        config.policy.chunks.schedule = schedule;
    }
    let (port, generation) = resolve_arm(&flags.arm, flags.firmware, &config)?;
    let folder = flags.policy.clone().or_else(|| config.policy.path.clone()).ok_or_else(|| {
        CliError::Arguments(
            "no policy: pass --policy DIR, or set `path` under [policy] in the configuration".to_owned(),
        )
    })?;
    let task = flags.task.clone().or_else(|| config.policy.task.clone()).ok_or_else(|| {
        CliError::Arguments(
            "no task: pass --task with the instruction that the policy was trained on".to_owned(),
        )
    })?;
    let duration = flags.duration.map(plan::duration).transpose()?;
    let port_report = check_port(&port, &SystemFiles::default());
    if let Some(finding) = port_report.findings.iter().find(|finding| finding.blocks() && !flags.dry_run) {
        // Told before a large policy is loaded.
        return Err(CliError::Refused(format!("{}: {finding}: {}", port.display(), finding.fix())));
    }
    let bundle = Bundle::load(&folder)?;
    let specs = plan::camera_specs(&flags.camera, &flags.arm, &config, &bundle)?;
    let emulated = port_report.is_pty;
    if let Some(drill) = &drill {
        inject::check_arm(drill, emulated)?;
    }
    let settings = ControlSettings {
        n_action_steps: flags.n_action_steps,
        fps: flags.fps,
        duration,
        start_pose: plan::start_pose(
            flags.start_pose.as_ref().unwrap_or(&config.motion.start_pose),
            &bundle,
            &specs,
        )?,
        first_chunk_speed: if emulated { 1.0 } else { 0.5 },
        park: plan::park(flags.park.as_ref(), &config, Some(&bundle))?,
    };
    // Checked now, though the generation may turn out another: everything else in it is final.
    plan::control_parameters(&config, &bundle, generation.unwrap_or(Generation::G1), &settings)?;
    terminal::say(format!("policy {} on {}", folder.display(), plan::device(&flags.inference, &config)));
    let engine = plan::engine(&bundle, &flags.inference, &config)?;
    let seed = flags.seed.unwrap_or(config.policy.seed);
    let threads = engine.threads();
    let producer = plan::producer(engine, &task, seed, &config.policy.chunks, drill.as_ref())?;
    let mut cameras = Vec::new();
    for (spec, slot) in specs.iter().zip(bundle.slots()) {
        let camera = plan::open_camera(spec)?;
        terminal::say(format!("camera {} = {}", slot.short_name(), camera.description()));
        cameras.push(camera);
    }
    check_pictures(&mut cameras, &bundle, flags.any_picture_size)?;
    if flags.dry_run {
        terminal::say(format!(
            "dry run: everything but {} was checked; nothing was opened or moved there",
            port.display()
        ));
        if flags.json {
            terminal::print_json(&serde_json::json!({ "ok": true, "ended": "dry run" }));
        }
        return Ok(Exit::Done);
    }
    let facts = RunFacts {
        verb: "run",
        task: &task,
        arm: format!("{} ({})", flags.arm, port.display()),
        seed,
        threads,
        configuration,
        cameras: cameras.iter().map(|camera| camera.description()).collect(),
        bundle: &bundle,
        inference: &flags.inference,
        config: &config,
    };
    let log = recording::plan_log(&flags.log, drill.as_ref(), facts)?;
    let signals = Signals::catch()?;
    let real_time = plan::real_time(&config, flags.control_cpu);
    let (arm, handle) = open_arm(&port, generation, &config, real_time, drill.as_ref())?;
    let generation = live::wait_for_arm(&arm, &signals)?;
    let consent = if flags.yes || emulated { Consent::Given } else { Consent::Ask };
    let live = LiveRun {
        arm,
        handle,
        cameras: inject::cameras(drill.as_ref(), cameras),
        source: Box::new(producer),
        playback_keys: false,
        parameters: plan::control_parameters(&config, &bundle, generation, &settings)?,
        tick_period: Duration::from_secs_f64(1.0 / config.motion.command_rate_hz),
        real_time,
        drill,
        log,
        firmware: generation.to_string(),
        consent,
        workspace: plan::workspace(&config.safety),
        json: flags.json,
        is_over: None,
    };
    live::run(live, &signals)
}

/// Says first that the board may reboot and move, then opens the port.
pub(super) fn open_arm(
    port: &Path,
    generation: Option<Generation>,
    config: &Config,
    real_time: RealTimeSettings,
    drill: Option<&Drill>,
) -> Result<(SerialArm, ArmHandle), CliError> {
    if !is_emulated(port) {
        terminal::say(format!("opening {}: the board may reboot and move, keep clear", port.display()));
    }
    let options = plan::link_options(config, generation);
    let mut hooks =
        LinkHooks { on_start: Box::new(move || real_time.apply_to_link()), ..LinkHooks::default() };
    if let Some(drill) = drill {
        hooks.on_look = drill.on_link_look();
    }
    Ok(SerialArm::open_with(port, options, hooks)?)
}

/// A pseudo-terminal is an emulated arm: nothing real moves.
fn is_emulated(port: &Path) -> bool {
    check_port(port, &SystemFiles::default()).is_pty
}

/// Looks at one picture of each camera: a size with another aspect than the training data is refused.
fn check_pictures(
    cameras: &mut [Box<dyn FrameSource>],
    bundle: &Bundle,
    any_size: bool,
) -> Result<(), CliError> {
    let pool = crate::types::FramePool::new(1);
    for (camera, slot) in cameras.iter_mut().zip(bundle.slots()) {
        let Some(frame) = camera.next_frame(&pool)? else {
            return Err(CliError::Refused(format!("camera {} has no frame at all", slot.name)));
        };
        let (width, height) = (frame.metadata.width, frame.metadata.height);
        match slot.fit(width, height) {
            CameraFit::Same => {}
            CameraFit::Scaled => terminal::say(format!(
                "camera {}: {width}x{height}, trained on {}x{} of the same aspect",
                slot.short_name(),
                slot.width,
                slot.height
            )),
            CameraFit::OtherAspect if any_size => terminal::say(format!(
                "camera {}: {width}x{height}, trained on {}x{}: objects appear at another scale and place",
                slot.short_name(),
                slot.width,
                slot.height
            )),
            CameraFit::OtherAspect => {
                return Err(CliError::Refused(format!(
                    "camera {} delivers {width}x{height}, the policy was trained on {}x{}: the arm would see everything at \
                     another scale and place. Set the camera to that aspect (?width=…&height=…), train on its pictures, or pass --any-picture-size if the \
                     bundle's size is only a placeholder",
                    slot.name, slot.width, slot.height
                )));
            }
        }
    }
    Ok(())
}
