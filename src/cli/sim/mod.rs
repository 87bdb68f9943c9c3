//! `roarm sim`: virtual RoArm-M3 boards for any client.

mod faults;
mod header;
mod plan;
mod summary;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use firmware_protocol::Generation;
use firmware_protocol::emulator::{JsonLibrary, ServoOptions};

use super::exit::{CliError, Exit};
use super::signals::Signals;
use super::terminal;
use crate::control::EndCause;
use crate::sim::virtual_board::VirtualBoard;
use plan::SimPlan;

#[derive(Args, Debug)]
#[command(after_help = faults::table())]
pub(super) struct SimFlags {
    /// Firmware generation: g1, g1b or g3
    #[arg(long, value_name = "G", default_value = "g1")]
    firmware: Generation,
    /// JSON library of the firmware, ArduinoJson 6 or 7 [default: a6, of g3 a7]
    #[arg(long, value_name = "LIBRARY")]
    json_library: Option<JsonLibraryName>,
    /// How the servos move: stock (sag, dead zone), clean (little of both, the default) or instant (none, no time)
    #[arg(long, value_name = "MODEL")]
    servos: Option<ServoModel>,
    /// Where the arm stands at first: six degrees as a dataset has them, gripper 0 closed; again for the next board
    /// [default: home]
    #[arg(long, value_name = "DEGREES", allow_hyphen_values = true)]
    pose: Vec<String>,
    /// Start as after power-on: boot text and homing motion first
    #[arg(long)]
    boot: bool,
    /// The board resets when a client opens its port, as one does whose control lines pull at the reset line
    #[arg(long)]
    reset_on_open: bool,
    /// How many boards
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    boards: u16,
    /// A stable symbolic link to the pseudo-terminal; for several boards PATH-1, PATH-2, or a path with {}
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// Also a TCP port with the serial port's raw bytes, for one client at a time; the next board has the next port
    #[arg(long, value_name = "[HOST:]PORT")]
    tcp: Option<String>,
    /// Also the board's web server, commands at /js?json=…; the next board has the next port
    #[arg(long, value_name = "[HOST:]PORT")]
    http: Option<String>,
    /// Write every line, received and sent, with its time; for several boards NAME-1.log, or a path with {}
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// What goes wrong, and when: [BOARD:]NAME[=VALUE][@START][:DURATION], with commas; see the table, or --fault help
    #[arg(long, value_name = "LIST")]
    fault: Vec<String>,
    /// Seed of what is random in faults
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// End after so many seconds [default: until Ctrl-C]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    duration: Option<f64>,
    /// Print the counts at the end as one JSON object on the last line of standard output
    #[arg(long)]
    pub(super) json: bool,
}

/// The firmware's JSON library.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum JsonLibraryName {
    /// `ArduinoJson` 6
    A6,
    /// `ArduinoJson` 7
    A7,
}

impl From<JsonLibraryName> for JsonLibrary {
    fn from(name: JsonLibraryName) -> Self {
        match name {
            JsonLibraryName::A6 => Self::A6,
            JsonLibraryName::A7 => Self::A7,
        }
    }
}

/// How the servos move.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ServoModel {
    /// As delivered: the shoulder sags about 3 degrees, small steps may not move it
    Stock,
    /// Little sag and a small dead zone
    Clean,
    /// Goals are reached at once
    Instant,
}

impl From<ServoModel> for ServoOptions {
    fn from(model: ServoModel) -> Self {
        match model {
            ServoModel::Stock => Self::stock(),
            ServoModel::Clean => Self::clean(),
            ServoModel::Instant => Self::instant(),
        }
    }
}

/// Time between two looks at signals and boards.
const LOOK: Duration = Duration::from_millis(50);

pub(super) fn sim(flags: &SimFlags) -> Result<Exit, CliError> {
    if flags.fault.iter().any(|list| list == "help") {
        terminal::print(faults::table());
        return Ok(Exit::Done);
    }
    let plan = SimPlan::new(flags)?;
    let signals = Signals::catch()?;
    let started = Instant::now();
    let boards: Vec<VirtualBoard> =
        plan.boards.iter().cloned().map(VirtualBoard::spawn).collect::<Result<_, _>>()?;
    terminal::say(header::text(&plan, &boards));
    if !flags.json {
        for (board, options) in boards.iter().zip(&plan.boards) {
            let path = options.link.clone().unwrap_or_else(|| board.path());
            terminal::print(path.display().to_string());
        }
    }
    let mut ended_by = None;
    while ended_by.is_none() && plan.duration.is_none_or(|duration| started.elapsed() < duration) {
        std::thread::sleep(LOOK);
        ended_by = signals.take();
        for (number, board) in (1..).zip(&boards) {
            tell_events(number, &boards, board.take_events());
            board.check().map_err(CliError::BoardEnded)?;
        }
    }
    let elapsed = started.elapsed();
    let ended = ended_by.map_or_else(|| "duration reached".to_owned(), |cause: EndCause| cause.to_string());
    finish(flags, &plan, boards, elapsed, ended);
    // Ctrl-C is the ordinary end of a simulator.
    Ok(Exit::Done)
}

fn tell_events(number: usize, boards: &[VirtualBoard], events: Vec<crate::sim::virtual_board::BoardEvent>) {
    for event in events {
        let board = if boards.len() > 1 { format!("board {number}, ") } else { String::new() };
        terminal::say(format!("{board}{:.3} s: {}", event.at.as_secs_f64(), event.text));
    }
}

fn finish(flags: &SimFlags, plan: &SimPlan, boards: Vec<VirtualBoard>, elapsed: Duration, ended: String) {
    let several = boards.len() > 1;
    let mut summaries = Vec::new();
    for (number, (board, options)) in (1..).zip(boards.into_iter().zip(&plan.boards)) {
        let (tcp, http) = (board.tcp_address(), board.http_address());
        let (counts, events) = board.stop();
        let name = if several { format!("board {number}: ") } else { String::new() };
        for event in events {
            terminal::say(format!("{name}{:.3} s: {}", event.at.as_secs_f64(), event.text));
        }
        let summary = summary::of_board(number, options, (tcp, http), counts, elapsed);
        terminal::say(format!("{name}{}", summary.sentence()));
        summaries.push(summary);
    }
    terminal::say(format!("ended after {:.1} s: {ended}", elapsed.as_secs_f64()));
    if flags.json {
        terminal::print_json(&summary::SimSummary {
            ok: true,
            ended,
            elapsed_s: elapsed.as_secs_f64(),
            boards: summaries,
        });
    }
}
