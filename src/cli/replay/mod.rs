//! `roarm replay`: what was recorded again. An episode of a dataset moves an arm; a run's log needs none.

mod episode;
mod run_log;
mod swap;

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::exit::{CliError, Exit};
use super::plan::{self, ParkPose, PolicyFlags};
use crate::config::Firmware;

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("recorded").required(true).args(["dataset", "log"])))]
pub(super) struct ReplayFlags {
    /// Play an episode of the LeRobot dataset in this folder on the arm
    #[arg(long, value_name = "DIR", requires_all = ["arm", "episode"])]
    dataset: Option<PathBuf>,
    /// Play the run of this log again, core and policy, without devices, and compare every bit
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,

    /// The arm: a serial port, or a name from [arm.NAME] of the configuration
    #[arg(long, value_name = "NAME|PORT", help_heading = "With --dataset", conflicts_with = "log")]
    arm: Option<String>,
    /// The episode's number, from 0
    #[arg(long, value_name = "N", help_heading = "With --dataset", conflicts_with = "log")]
    episode: Option<usize>,
    /// Share of the recorded speed, 0.05 to 2 [default: 1]
    #[arg(
        long,
        value_name = "FACTOR",
        allow_negative_numbers = true,
        help_heading = "With --dataset",
        conflicts_with = "log"
    )]
    speed: Option<f64>,
    /// Where to go at the end: off, zero, home, or six degrees [default: off, the arm holds the last action]
    #[arg(
        long,
        value_name = "POSE",
        value_parser = plan::parse_park_pose,
        allow_hyphen_values = true,
        help_heading = "With --dataset",
        conflicts_with = "log"
    )]
    park: Option<ParkPose>,
    /// Firmware generation: auto, g1, g1b or g3
    #[arg(
        long,
        value_name = "G",
        value_parser = plan::parse_firmware,
        help_heading = "With --dataset",
        conflicts_with = "log"
    )]
    firmware: Option<Firmware>,
    /// Bind the control thread to this core
    #[arg(long, value_name = "N", help_heading = "With --dataset", conflicts_with = "log")]
    control_cpu: Option<usize>,
    /// Configuration file [default: roarm.toml, if there is one]
    #[arg(long, value_name = "FILE", help_heading = "With --dataset", conflicts_with = "log")]
    config: Option<PathBuf>,
    /// Do not wait for Enter before the first motion of a real arm
    #[arg(long, help_heading = "With --dataset", conflicts_with = "log")]
    yes: bool,
    /// Say what of the episode the arm cannot do as recorded, then end: nothing is opened or moved
    #[arg(long, help_heading = "With --dataset", conflicts_with = "log")]
    dry_run: bool,

    /// Leave the policy out: the core alone gets the recorded chunks
    #[arg(long, help_heading = "With --log", conflicts_with = "dataset")]
    core_only: bool,
    /// The policy bundle's folder [default: the one that the log names]
    #[arg(long, value_name = "DIR", help_heading = "With --log", conflicts_with_all = ["core_only", "dataset"])]
    policy: Option<PathBuf>,
    /// Ask the policy in this bundle what it would have done instead, and compare
    #[arg(long, value_name = "BUNDLE", help_heading = "With --log", conflicts_with_all = ["core_only", "policy", "dataset"])]
    swap_policy: Option<PathBuf>,

    /// Print the result as one JSON object on the last line of standard output
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten, next_help_heading = "With --log")]
    inference: PolicyFlags,
}

pub(super) fn replay(flags: &ReplayFlags) -> Result<Exit, CliError> {
    match (&flags.log, &flags.dataset, &flags.arm, flags.episode) {
        (Some(log), ..) => match &flags.swap_policy {
            Some(bundle) => swap::swap(flags, log, bundle),
            None => run_log::replay(flags, log),
        },
        (None, Some(folder), Some(arm), Some(number)) => episode::replay(flags, folder, number, arm),
        // The flags' own rules let nothing else pass.
        _ => Err(CliError::Arguments(
            "say what to replay: --dataset DIR --episode N --arm NAME, or --log FILE".to_owned(),
        )),
    }
}
