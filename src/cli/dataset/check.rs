//! `roarm dataset check`.

use std::path::PathBuf;

use clap::Args;

use super::must_be_folder;
use crate::cli::exit::{CliError, Exit};
use crate::cli::terminal::{self, Progress};
use crate::episode::{self, CheckOptions, CheckReport, Problem, Unreachable};

/// Problems that are shown to people; `--json` has them all.
const SHOWN: usize = 60;

#[derive(Args, Debug)]
pub(in crate::cli) struct CheckFlags {
    /// The dataset's folder (the one that holds meta/ and data/)
    dir: PathBuf,
    /// Decode every picture: finds damaged pictures and frozen cameras; some milliseconds a picture
    #[arg(long)]
    pictures: bool,
    /// Print one JSON object on the last line of standard output
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn check(flags: &CheckFlags) -> Result<Exit, CliError> {
    must_be_folder(&flags.dir)?;
    let options = CheckOptions { decode_pictures: flags.pictures };
    let mut progress = Progress::new();
    let report = episode::check(&flags.dir, options, &mut |step| {
        progress.update(|| format!("{} of {}: {}", step.done + 1, step.total, step.file.display()));
    })?;
    progress.finish();
    if flags.json {
        terminal::say(page(&report));
        terminal::print_json(&report);
    } else {
        terminal::print(page(&report));
    }
    Ok(if report.ok { Exit::Done } else { Exit::Failed })
}

fn page(report: &CheckReport) -> String {
    let mut lines: Vec<String> = report.problems.iter().take(SHOWN).map(problem_text).collect();
    if let Some(more) = report.problems.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        lines.push(format!("… and {more} more problems: --json lists them all"));
    }
    lines.extend(report.unreachable.iter().map(unreachable_text));
    let counts = format!("{} episodes, {} frames", report.episodes, report.frames);
    lines.push(match report.problems.len() {
        0 => format!("ok: {counts}"),
        1 => format!("1 problem in {counts}"),
        problems => format!("{problems} problems in {counts}"),
    });
    lines.join("\n")
}

fn problem_text(problem: &Problem) -> String {
    let mut text = problem.file.display().to_string();
    if let Some(episode) = problem.episode {
        text.push_str(&format!(", episode {episode}"));
    }
    if let Some(row) = problem.row {
        text.push_str(&format!(", row {row}"));
    }
    format!("{text}: {}\n    fix: {}", problem.problem, problem.fix)
}

/// "firmware g1 cannot execute elbow < −45.0°: 812 frames, 6.2 % of the actions (farthest −71.9°)".
fn unreachable_text(one: &Unreachable) -> String {
    format!(
        "note: firmware {} cannot execute {} {} {:.1}°: {} frames, {:.1} % of the actions (farthest {:.1}°)",
        one.generation,
        one.joint,
        if one.below { "<" } else { ">" },
        one.limit_deg,
        one.frames,
        one.share * 100.0,
        one.farthest_deg
    )
}
