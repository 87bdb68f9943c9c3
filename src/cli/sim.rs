//! `roarm sim`: a virtual RoArm-M3 on a pseudo-terminal.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use firmware_protocol::Generation;
use serde::Serialize;

use super::exit::{CliError, Exit};
use super::plan;
use super::signals::Signals;
use super::terminal;
use crate::sim::{PtyBoard, PtyBoardOptions};

#[derive(Args, Debug)]
pub(super) struct SimFlags {
    /// Firmware generation: g1, g1b or g3
    #[arg(long, value_name = "G", default_value = "g1")]
    firmware: Generation,
    /// A stable symbolic link to the pseudo-terminal
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// Write every line, received and sent, with its time
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Start as after power-on: boot text and homing motion first
    #[arg(long)]
    boot: bool,
    /// End after so many seconds [default: until Ctrl-C]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    duration: Option<f64>,
    /// Print the counts at the end as one JSON object on the last line of standard output
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Serialize)]
struct SimSummary {
    path: PathBuf,
    lines_received: usize,
    elapsed_s: f64,
}

pub(super) fn sim(flags: &SimFlags) -> Result<Exit, CliError> {
    let duration = flags.duration.map(plan::duration).transpose()?;
    let signals = Signals::catch()?;
    let started = std::time::Instant::now();
    let board = PtyBoard::spawn(PtyBoardOptions {
        generation: flags.firmware,
        link: flags.link.clone(),
        log: flags.log.clone(),
        boot: flags.boot,
    })?;
    let path = flags.link.clone().unwrap_or_else(|| board.path().to_owned());
    terminal::say(format!(
        "virtual RoArm-M3 (firmware {}) on {}; try: roarm run --arm {} …; Ctrl-C ends",
        flags.firmware,
        path.display(),
        path.display()
    ));
    if !flags.json {
        terminal::print(path.display().to_string());
    }
    let mut ended_by = None;
    while ended_by.is_none() && duration.is_none_or(|duration| started.elapsed() < duration) {
        std::thread::sleep(Duration::from_millis(50));
        ended_by = signals.take();
        board.check()?;
    }
    let summary = SimSummary {
        path,
        lines_received: board.lines_received(),
        elapsed_s: started.elapsed().as_secs_f64(),
    };
    board.stop();
    terminal::say(format!("{} lines received in {:.1} s", summary.lines_received, summary.elapsed_s));
    if flags.json {
        terminal::print_json(&summary);
    }
    // Ctrl-C is the ordinary end of a simulator.
    Ok(Exit::Done)
}
