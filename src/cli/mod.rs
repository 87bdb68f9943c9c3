//! The command line: raw flags -> a checked plan -> a call into the library. One file a verb.

mod bench;
mod consent;
mod dataset;
mod demo;
mod doctor;
mod exit;
mod inject;
mod keyboard;
mod live;
mod log;
mod plan;
mod policy;
mod record;
mod recording;
mod replay;
mod run;
mod shell_files;
mod signals;
mod sim;
mod terminal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::{CliError, Exit};
pub use plan::{ControlSettings, control_parameters};

/// Runs SmolVLA policies on a Waveshare RoArm-M3 arm.
#[derive(Debug, Parser)]
#[command(
    name = "roarm",
    version,
    about,
    after_help = "Exit codes: 0 done, 1 failed, 2 bad arguments or configuration, 3 refused by a check before the start, \
                  4 ended by a protective stop, 130/143/129 ended by Ctrl-C/SIGTERM/SIGHUP.\n\
                  roarm is not a safety-rated system: the 12 V switch is the emergency stop."
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Emulated arm, simulated cell, shipped policy: no hardware, no setup
    Demo(demo::DemoFlags),
    /// Run a policy on the arm
    Run(run::RunFlags),
    /// Record episodes into a LeRobot dataset, the arm guided by hand
    Record(record::RecordFlags),
    /// Play what was recorded: an episode on the arm, or a run without devices
    Replay(replay::ReplayFlags),
    /// Virtual RoArm-M3 boards on pseudo-terminals, TCP and HTTP, for any client
    Sim(sim::SimFlags),
    /// Look at a policy bundle, or prove that this machine computes what PyTorch computed
    Policy {
        #[command(subcommand)]
        verb: policy::PolicyVerb,
    },
    /// Look at a LeRobot dataset, check it, take episodes out of it, mend it
    Dataset {
        #[command(subcommand)]
        verb: dataset::DatasetVerb,
    },
    /// Look at the log of a run, or recover one that was cut
    Log {
        #[command(subcommand)]
        verb: log::LogVerb,
    },
    /// One page: what would stop a run, with the fix
    Doctor(doctor::DoctorFlags),
    /// Print a shell's completion script
    #[command(hide = true)]
    Completions(shell_files::CompletionsFlags),
    /// Print the manual page, or write those of all verbs
    #[command(hide = true)]
    Man(shell_files::ManFlags),
}

/// The whole program.
pub fn main() -> ExitCode {
    let (result, json) = match Arguments::parse().verb {
        Verb::Demo(flags) => (demo::demo(&flags), flags.json),
        Verb::Run(flags) => (run::run(&flags), flags.json),
        Verb::Record(flags) => (record::record(&flags), flags.json),
        Verb::Replay(flags) => (replay::replay(&flags), flags.json),
        Verb::Sim(flags) => (sim::sim(&flags), flags.json),
        Verb::Policy { verb } => (policy::policy(&verb), verb.json()),
        Verb::Dataset { verb } => (dataset::dataset(&verb), verb.json()),
        Verb::Log { verb } => (log::log(&verb), verb.json()),
        Verb::Doctor(flags) => (doctor::doctor(&flags), flags.json),
        Verb::Completions(flags) => (shell_files::completions(&flags), false),
        Verb::Man(flags) => (shell_files::man(&flags), false),
    };
    result
        .unwrap_or_else(|error| {
            terminal::say(format!("error: {error}"));
            if json {
                terminal::print_json(&serde_json::json!({"ok": false, "error": error.to_string()}));
            }
            error.exit()
        })
        .into()
}
