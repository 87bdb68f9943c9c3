//! `roarm demo`: emulated arm, simulated cell, shipped policy.
//!
//! One episode by default, in real time and over a serial port, to be watched; with `--episodes` many in virtual time, to be counted.

mod ablation;
mod episodes;
mod film;
mod instruction;
mod real_time;
mod tally;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use firmware_protocol::Generation;
use firmware_protocol::emulator::{BoardOptions, ServoOptions};

use super::exit::{CliError, Exit};
use super::inject;
use super::plan::{self, ControlSettings, PolicyFlags};
use super::recording::LogFlags;
use super::signals::Signals;
use super::terminal;
use crate::config::{Config, ScheduleChoice};
use crate::control::{ControlParameters, Table};
use crate::policy::{Bundle, CameraSlot};
use crate::sim::demonstration::READY_POSE;
use crate::sim::scene::BoxColour;
use crate::sim::{CellOptions, PhysicsProgram};
use ablation::Ablation;
use film::Film;

#[derive(Args, Debug)]
pub(super) struct DemoFlags {
    /// Seconds that the policy may move the arm; it ends earlier when the box is up
    #[arg(long, value_name = "SECONDS", default_value_t = 12.0, allow_negative_numbers = true)]
    duration: f64,
    /// Seed of the cell and of the policy's noise; of the first episode where there are more
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Run so many episodes, seed after seed, in virtual time, and say how many succeeded
    #[arg(long, value_name = "N")]
    episodes: Option<u64>,
    /// Real time, over the serial port; the default for one episode
    #[arg(long)]
    realtime: bool,
    /// The emulated board's firmware generation: g1, g1b or g3
    #[arg(long, value_name = "G", default_value = "g1")]
    firmware: Generation,
    /// How the emulated servos move: clean, or stock (they sag, stick and lag as those of a delivered arm)
    #[arg(long, value_enum, value_name = "KIND", default_value = "clean")]
    servos: Servos,
    /// A program that computes arm and boxes in contact physics, such as "python3 tests/mujoco/physics.py", in place of the cell's rules
    #[arg(long, value_name = "COMMAND", value_parser = parse_physics, conflicts_with = "servos")]
    physics: Option<PhysicsProgram>,
    /// The instruction [default: "Pick up the white box"; with --episodes the white and the red box in turn]
    #[arg(long, alias = "task", value_name = "TEXT")]
    instruction: Option<String>,
    /// The policy bundle's folder [default: models/demo/bundle of the clone]
    #[arg(long, value_name = "DIR")]
    policy: Option<PathBuf>,
    /// Write every line that reaches the emulated board, and every line it sends, with its time
    #[arg(long, value_name = "FILE")]
    board_log: Option<PathBuf>,
    /// Film what happens: FILE.mp4, or FILE.gif at half the size
    #[arg(long, value_name = "FILE")]
    video: Option<PathBuf>,
    /// When the next chunk is computed: sync (after the last one), async or rtc (while it plays; rtc guides it)
    #[arg(long, value_name = "S", value_parser = plan::parse_schedule)]
    schedule: Option<ScheduleChoice>,
    /// Actions of each chunk to play [default: the policy's]
    #[arg(long, value_name = "N")]
    n_action_steps: Option<usize>,
    /// Milliseconds that each chunk comes later than it would
    #[arg(long, value_name = "MS", default_value_t = 0)]
    delay: u64,
    /// Take something away from the policy, to see that it counts
    #[arg(long, value_enum, value_name = "WHAT")]
    ablate: Option<Ablation>,
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

fn parse_physics(text: &str) -> Result<PhysicsProgram, String> {
    PhysicsProgram::parse(text).ok_or_else(|| "name a program, and its arguments".to_owned())
}

/// How the emulated servos move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Servos {
    Clean,
    Stock,
}

/// The emulated arm may go to its start pose faster than a real one.
const DEMO_RAMP_DEG_S: f64 = 45.0;
/// How far below the cell's table the gate sees its own, metres. The arm's capsules reach up to a centimetre beyond its shapes, and
/// fingers must come near to the table to grasp a box; the cell's table stops them by itself.
const TABLE_BELOW_M: f64 = 0.02;

/// What all episodes have in common.
struct Plan {
    config: Config,
    bundle: Bundle,
    settings: ControlSettings,
    /// Whether episodes are about boxes: the shipped policy always, another one if its instruction names a box.
    about_boxes: bool,
}

impl Plan {
    fn new(flags: &DemoFlags) -> Result<Self, CliError> {
        let duration = plan::duration(flags.duration)?;
        let mut config = Config::defaults();
        config.motion.ramp_speed_deg_s = DEMO_RAMP_DEG_S;
        if let Some(schedule) = flags.schedule {
            config.policy.chunks.schedule = schedule;
        }
        // Arm, camera and program share a machine that may be busy, and nothing real moves: a stall need not end the demonstration.
        config.safety.max_feedback_age_ms = 2_000;
        config.safety.max_frame_age_ms = 2_000;
        // A policy of random weights knows no table: the gate holds the arm above it, and the demonstration goes on.
        config.safety.workspace_patience_s = 3_600.0;
        let folder = flags.policy.clone().map_or_else(shipped_policy, Ok)?;
        let bundle = Bundle::load(&folder)?;
        if bundle.slots().len() != 1 {
            return Err(CliError::Arguments(
                "the demo's cell has one camera: choose a policy with one camera slot".to_owned(),
            ));
        }
        let about_boxes = flags.policy.is_none()
            || flags.instruction.as_deref().is_some_and(|text| instruction::target(text).is_ok());
        let start_pose = if about_boxes {
            Some(READY_POSE)
        } else {
            plan::start_pose(&config.motion.start_pose, &bundle, &[])?
        };
        let settings = ControlSettings {
            duration: Some(duration),
            start_pose,
            first_chunk_speed: 1.0,
            n_action_steps: flags.n_action_steps,
            ..ControlSettings::default()
        };
        terminal::say(format!("policy {} on {}", folder.display(), plan::device(&flags.inference, &config)));
        Ok(Self { config, bundle, settings, about_boxes })
    }

    fn parameters(&self, generation: Generation) -> Result<ControlParameters, CliError> {
        let mut parameters =
            plan::control_parameters(&self.config, &self.bundle, generation, &self.settings)?;
        if self.about_boxes {
            let below = |table: Table| Table { height_m: table.height_m - TABLE_BELOW_M, ..table };
            parameters.workspace.table = parameters.workspace.table.map(below);
        }
        Ok(parameters)
    }

    /// The box that an instruction means; `None` where the policy knows nothing of boxes.
    fn target(&self, text: &str) -> Result<Option<BoxColour>, CliError> {
        if self.about_boxes { instruction::target(text).map(Some) } else { Ok(None) }
    }

    /// What the policy is told.
    fn told(flags: &DemoFlags, text: &str, target: Option<BoxColour>) -> String {
        match (flags.ablate, target) {
            (Some(Ablation::WrongInstruction), Some(colour)) => {
                crate::sim::demonstration::instruction(colour.other())
            }
            _ => text.to_owned(),
        }
    }
}

/// The shipped bundle: below the working folder, or below a folder above the program.
fn shipped_policy() -> Result<PathBuf, CliError> {
    const SHIPPED: &str = "models/demo/bundle";
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

fn board_options(flags: &DemoFlags) -> BoardOptions {
    let servos = match flags.servos {
        Servos::Clean => ServoOptions::clean(),
        Servos::Stock => ServoOptions::stock(),
    };
    BoardOptions { servos, ..BoardOptions::new(flags.firmware) }
}

fn delay(flags: &DemoFlags) -> Duration {
    Duration::from_millis(flags.delay)
}

pub(super) fn demo(flags: &DemoFlags) -> Result<Exit, CliError> {
    if inject::is_help(flags.inject.as_deref()) {
        terminal::print(inject::table());
        return Ok(Exit::Done);
    }
    let many = flags.episodes.is_some();
    if flags.episodes == Some(0) {
        return Err(CliError::Arguments("--episodes 0 is nothing to do: give at least 1".to_owned()));
    }
    let virtual_time = many && !flags.realtime;
    if virtual_time && (flags.inject.is_some() || flags.board_log.is_some() || flags.log.is_asked_for()) {
        return Err(CliError::Arguments(
            "--inject, --board-log and --log belong to real time: add --realtime, or leave them out"
                .to_owned(),
        ));
    }
    let drill = inject::drill(flags.inject.as_deref())?;
    let plan = Plan::new(flags)?;
    if many && !plan.about_boxes {
        return Err(CliError::Arguments(
            "--episodes counts boxes that were picked up: give an --instruction that names the white or the red box"
                .to_owned(),
        ));
    }
    if flags.physics.is_some() && !plan.about_boxes {
        return Err(CliError::Arguments(
            "--physics computes boxes: give an --instruction that names the white or the red box".to_owned(),
        ));
    }
    let mut film = flags.video.as_deref().map(Film::create).transpose()?;
    let signals = Signals::catch()?;
    let exit = match flags.episodes {
        None => real_time::one(flags, &plan, drill, &signals, film.as_mut()),
        Some(count) if virtual_time => {
            episodes::in_virtual_time(flags, &plan, count, &signals, film.as_mut())
        }
        Some(count) => real_time::many(flags, &plan, count, drill.as_ref(), &signals, film.as_mut()),
    }?;
    if let Some(film) = film {
        terminal::say(film.finish()?);
    }
    Ok(exit)
}
