//! `roarm dataset repair`: what is sound of a dataset, as a new one.

use std::path::PathBuf;

use clap::Args;

use super::must_be_folder;
use super::writing::{self, Written};
use crate::cli::exit::{CliError, Exit};
use crate::cli::terminal::{self, Progress};
use crate::episode::{CheckOptions, Repair};

#[derive(Args, Debug)]
pub(in crate::cli) struct RepairFlags {
    /// The dataset's folder (the one that holds meta/ and data/); nothing in it is changed
    dir: PathBuf,
    /// The new dataset's folder, LeRobot v3.0; it must not exist yet, or be empty
    #[arg(long, value_name = "NEW")]
    out: PathBuf,
    /// Decode every picture before: leaves out episodes with damaged pictures or a frozen camera
    #[arg(long)]
    pictures: bool,
    /// Say what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object on the last line of standard output
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn repair(flags: &RepairFlags) -> Result<Exit, CliError> {
    must_be_folder(&flags.dir)?;
    let options = CheckOptions { decode_pictures: flags.pictures };
    let mut progress = Progress::new();
    let repair = Repair::plan(&flags.dir, options, &mut |step| {
        progress.update(|| format!("checking {} of {}: {}", step.done + 1, step.total, step.file.display()));
    });
    progress.finish();
    let repair = repair?;
    let (kept, dropped) = (repair.kept(), repair.dropped());
    terminal::say(format!(
        "{} problems; {} episodes are kept, {} left out{}",
        repair.report().problems.len(),
        kept.len(),
        dropped.len(),
        if dropped.is_empty() { String::new() } else { format!(": {dropped:?}") }
    ));
    for number in &dropped {
        let reason = repair.report().problems.iter().find(|problem| problem.episode == Some(*number));
        if let Some(reason) = reason {
            terminal::say(format!("  episode {number}: {}: {}", reason.file.display(), reason.problem));
        }
    }
    if flags.dry_run {
        if flags.json {
            let (out, episodes) = (flags.out.clone(), kept.len());
            terminal::print_json(&Written {
                ok: true,
                out,
                episodes,
                frames: repair.frames(),
                dropped,
                dry_run: true,
            });
        }
        return Ok(Exit::Done);
    }
    let storage = repair.storage();
    writing::write(&mut repair.source(), &flags.out, storage, dropped, flags.json)
}
