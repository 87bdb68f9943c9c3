//! `roarm record`: episodes into a LeRobot dataset, the arm guided by hand.

mod keys;
mod teach;

use std::path::PathBuf;

use clap::Args;

use super::exit::{CliError, Exit};
use super::plan;
use crate::config::Firmware;

#[derive(Args, Debug)]
pub(super) struct RecordFlags {
    /// Guide the arm by hand: its torque is switched off, and what it does next is its action
    #[arg(long)]
    teach: bool,
    /// The arm: a serial port, or a name from [arm.NAME] of the configuration
    #[arg(long, value_name = "NAME|PORT")]
    arm: String,
    /// A camera and its name in the dataset, as in front=v4l2:/dev/video0
    #[arg(long, value_name = "NAME=SOURCE", required = true)]
    camera: Vec<String>,
    /// The instruction that a policy will be given for this
    #[arg(long, value_name = "TEXT")]
    task: String,
    /// The new dataset's folder, LeRobot v3.0; it must not exist yet, or be empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Episodes to record
    #[arg(long, value_name = "N", default_value_t = 50)]
    episodes: usize,
    /// Frames a second
    #[arg(long, value_name = "HZ", default_value_t = 30.0)]
    fps: f64,
    /// The longest that an episode may last, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    episode_time: f64,
    /// Time before the first episode, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    warmup_time: f64,
    /// Time to put everything back between episodes, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    reset_time: f64,
    /// Store pictures as PNG inside the data files: nothing is lost [default: H.264 video]
    #[arg(long)]
    images: bool,
    /// Firmware generation: auto, g1, g1b or g3
    #[arg(long, value_name = "G", value_parser = plan::parse_firmware)]
    firmware: Option<Firmware>,
    /// Configuration file [default: roarm.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Somebody holds the arm already: do not ask
    #[arg(long)]
    yes: bool,
    /// Check everything that can be checked without opening the port, then end
    #[arg(long)]
    dry_run: bool,
    /// Print the result as one JSON object on the last line of standard output
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn record(flags: &RecordFlags) -> Result<Exit, CliError> {
    if !flags.teach {
        return Err(CliError::Arguments(
            "say how: --teach guides the arm by hand. What a policy does is recorded with `roarm run --log DIR --log-frames all`, and \
             `roarm dataset export` makes a dataset of it"
                .to_owned(),
        ));
    }
    teach::teach(flags)
}
