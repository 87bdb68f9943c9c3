//! `roarm demo`: emulated arm, simulated cell, shipped policy.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use firmware_protocol::Generation;
use firmware_protocol::emulator::BoardOptions;

use super::consent::Consent;
use super::exit::{CliError, Exit};
use super::inject;
use super::live::{self, LiveRun};
use super::plan::{self, ControlSettings, PolicyFlags};
use super::recording::{self, ConfigurationText, LogFlags, RunFacts};
use super::run::open_arm;
use super::signals::Signals;
use super::terminal;
use crate::camera::{FrameSource, PacedSource};
use crate::config::{Config, ScheduleChoice};
use crate::policy::{Bundle, CameraSlot};
use crate::runtime;
use crate::sim::{CellCamera, CellOptions, VirtualBoard, VirtualBoardOptions};

#[derive(Args, Debug)]
pub(super) struct DemoFlags {
    /// Seconds that the policy moves the arm
    #[arg(long, value_name = "SECONDS", default_value_t = 8.0, allow_negative_numbers = true)]
    duration: f64,
    /// Seed of the cell and of the policy's noise
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The emulated board's firmware generation: g1, g1b or g3
    #[arg(long, value_name = "G", default_value = "g1")]
    firmware: Generation,
    /// The instruction
    #[arg(long, value_name = "TEXT", default_value = "Open the gripper.")]
    task: String,
    /// The policy bundle's folder [default: models/smolvla-tiny of the clone]
    #[arg(long, value_name = "DIR")]
    policy: Option<PathBuf>,
    /// Write every line that reaches the emulated board, and every line it sends, with its time
    #[arg(long, value_name = "FILE")]
    board_log: Option<PathBuf>,
    /// When the next chunk is computed: sync (after the last one), async or rtc (while it plays; rtc guides it)
    #[arg(long, value_name = "S", value_parser = plan::parse_schedule)]
    schedule: Option<ScheduleChoice>,
    /// What goes wrong, and when: NAME[=VALUE][@START][:DURATION], with commas; --inject help lists all
    #[arg(long, value_name = "LIST")]
    inject: Option<String>,
    /// Bind the control thread to this core
    #[arg(long, value_name = "N")]
    control_cpu: Option<usize>,
    /// Print the summary as one JSON object on the last line of standard output
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    log: LogFlags,
    #[command(flatten)]
    inference: PolicyFlags,
}

/// The emulated arm may go to its start pose faster than a real one.
const DEMO_RAMP_DEG_S: f64 = 45.0;

/// The shipped bundle: below the working folder, or below a folder above the program.
fn shipped_policy() -> Result<PathBuf, CliError> {
    const SHIPPED: &str = "models/smolvla-tiny";
    let program = std::env::current_exe().unwrap_or_default();
    let folders = std::iter::once(Path::new(".")).chain(program.ancestors().skip(1).take(4));
    folders.map(|folder| folder.join(SHIPPED)).find(|path| path.is_dir()).ok_or_else(|| {
        CliError::Arguments(format!(
            "the shipped policy {SHIPPED} is not here: run in the clone, or pass --policy DIR"
        ))
    })
}

/// A cell whose pictures have the aspect that the policy was trained on, 480 rows high.
fn cell_options(seed: u64, slots: &[CameraSlot]) -> CellOptions {
    let usual = CellOptions { seed, ..CellOptions::default() };
    match slots {
        [slot] if slot.height > 0 => CellOptions { width: usual.height * slot.width / slot.height, ..usual },
        _ => usual,
    }
}

pub(super) fn demo(flags: &DemoFlags) -> Result<Exit, CliError> {
    if inject::is_help(flags.inject.as_deref()) {
        terminal::print(inject::table());
        return Ok(Exit::Done);
    }
    let drill = inject::drill(flags.inject.as_deref())?;
    let board_faults = drill.as_ref().map(inject::board_faults).transpose()?.unwrap_or_default();
    let duration = plan::duration(flags.duration)?;
    let mut config = Config::defaults();
    config.motion.ramp_speed_deg_s = DEMO_RAMP_DEG_S;
    if let Some(schedule) = flags.schedule {
        config.policy.chunks.schedule = schedule;
    }
    // Arm, camera and program share a machine that may be busy, and nothing real moves: a stall need not end the demonstration.
    config.safety.max_feedback_age_ms = 2_000;
    config.safety.max_frame_age_ms = 2_000;
    // Random weights know no table: the gate holds the arm above it, and the demonstration goes on.
    config.safety.workspace_patience_s = 3_600.0;
    let folder = flags.policy.clone().map_or_else(shipped_policy, Ok)?;
    let bundle = Bundle::load(&folder)?;
    if bundle.slots().len() != 1 {
        return Err(CliError::Arguments(
            "the demo's cell has one camera: choose a policy with one camera slot".to_owned(),
        ));
    }
    let settings = ControlSettings {
        duration: Some(duration),
        start_pose: plan::start_pose(&config.motion.start_pose, &bundle, &[])?,
        first_chunk_speed: 1.0,
        ..ControlSettings::default()
    };
    let remark = match flags.policy {
        None => " (random weights: it moves, but means nothing by it)",
        Some(_) => "",
    };
    terminal::say(format!(
        "policy {} on {}{remark}",
        folder.display(),
        plan::device(&flags.inference, &config)
    ));
    let engine = plan::engine(&bundle, &flags.inference, &config)?;
    let threads = engine.threads();
    let producer = plan::producer(engine, &flags.task, flags.seed, &config.policy.chunks, drill.as_ref())?;
    let signals = Signals::catch()?;
    let board = VirtualBoard::spawn(VirtualBoardOptions {
        log: flags.board_log.clone(),
        faults: board_faults,
        seed: flags.seed,
        ..VirtualBoardOptions::new(BoardOptions::new(flags.firmware))
    })?;
    let pose = board.arm_pose();
    let options = cell_options(flags.seed, bundle.slots());
    let camera = CellCamera::new(options, Arc::new(move || pose.get()));
    let camera: Box<dyn FrameSource> = Box::new(PacedSource::new(camera, runtime::now));
    terminal::say(format!(
        "emulated arm (firmware {}) on {}, {}",
        flags.firmware,
        board.path().display(),
        camera.description()
    ));
    let facts = RunFacts {
        verb: "demo",
        task: &flags.task,
        arm: format!("emulated ({})", board.path().display()),
        seed: flags.seed,
        threads,
        // None is read: what differs from the defaults stands in the parameters.
        configuration: ConfigurationText::default(),
        cameras: vec![camera.description()],
        bundle: &bundle,
        inference: &flags.inference,
        config: &config,
    };
    let log = recording::plan_log(&flags.log, drill.as_ref(), facts)?;
    let real_time = plan::real_time(&config, flags.control_cpu);
    let (arm, handle) = open_arm(&board.path(), None, &config, real_time, drill.as_ref())?;
    let generation = live::wait_for_arm(&arm, &signals)?;
    let live = LiveRun {
        arm,
        handle,
        cameras: inject::cameras(drill.as_ref(), vec![camera]),
        source: Box::new(producer),
        playback_keys: false,
        parameters: plan::control_parameters(&config, &bundle, generation, &settings)?,
        tick_period: Duration::from_secs_f64(1.0 / config.motion.command_rate_hz),
        real_time,
        drill,
        log,
        firmware: generation.to_string(),
        consent: Consent::Given,
        workspace: plan::workspace(&config.safety),
        json: flags.json,
    };
    let exit = live::run(live, &signals)?;
    board.stop();
    Ok(exit)
}
