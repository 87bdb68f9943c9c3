//! `roarm log info|repair|view`.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::exit::{CliError, Exit};
use super::terminal;
use crate::episode::run_log::{LogSummary, RepairReport, RunLogError, repair, summarise};
use crate::episode::run_log_page;

#[derive(Debug, Subcommand)]
pub(super) enum LogVerb {
    /// One page: what a run log holds, and whether its run can be played again
    Info(InfoFlags),
    /// Copy everything that is verified of a cut or damaged run log into a file that is whole
    Repair(RepairFlags),
    /// One page for a browser: joints commanded and measured, z-scores, seams, ages, states and stops
    View(ViewFlags),
}

impl LogVerb {
    /// Whether the result is wanted as JSON.
    pub(super) const fn json(&self) -> bool {
        match self {
            Self::Info(flags) => flags.json,
            Self::Repair(flags) => flags.json,
            Self::View(flags) => flags.json,
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct InfoFlags {
    /// The run log
    file: PathBuf,
    /// Print one JSON object on the last line of standard output
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(super) struct RepairFlags {
    /// The run log
    file: PathBuf,
    /// The copy to make; an existing file is never overwritten
    #[arg(long, value_name = "FILE.mcap", value_parser = parse_out)]
    out: PathBuf,
    /// Print one JSON object on the last line of standard output
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(super) struct ViewFlags {
    /// The run log
    file: PathBuf,
    /// The page to make, HTML; an existing file is never overwritten
    #[arg(long, value_name = "FILE.html")]
    out: PathBuf,
    /// Print one JSON object on the last line of standard output
    #[arg(long)]
    json: bool,
}

fn parse_out(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.extension().is_some_and(|extension| extension == "mcap") {
        Ok(path)
    } else {
        Err("give a file name that ends in .mcap".to_owned())
    }
}

/// The object of `--json`.
#[derive(Serialize)]
struct Told<T> {
    ok: bool,
    file: PathBuf,
    #[serde(flatten)]
    what: T,
}

pub(super) fn log(verb: &LogVerb) -> Result<Exit, CliError> {
    match verb {
        LogVerb::Info(InfoFlags { file, json }) => {
            let summary = summarise(file)?;
            if *json {
                terminal::print_json(&Told { ok: true, file: file.clone(), what: &summary });
            } else {
                terminal::print(page(&summary));
            }
        }
        LogVerb::Repair(RepairFlags { file, out, json }) => {
            let report = repair(file, out)?;
            let text = repaired(&report, out);
            if *json {
                terminal::say(text);
                terminal::print_json(&Told { ok: true, file: out.clone(), what: &report });
            } else {
                terminal::print(text);
            }
        }
        LogVerb::View(ViewFlags { file, out, json }) => view(file, out, *json)?,
    }
    Ok(Exit::Done)
}

/// Makes the page. It is there whole or not at all.
fn view(file: &Path, out: &Path, json: bool) -> Result<(), CliError> {
    let page = run_log_page(file)?;
    let failed = |source: io::Error| {
        let fix = match source.kind() {
            io::ErrorKind::AlreadyExists => "choose another name; an existing file is never overwritten",
            io::ErrorKind::NotFound => "make the folder first",
            _ => "check the folder's permissions and the disk",
        };
        CliError::RunLog(RunLogError::Create { path: out.to_owned(), source, fix })
    };
    let mut target = OpenOptions::new().write(true).create_new(true).open(out).map_err(failed)?;
    target.write_all(page.as_bytes()).map_err(|source| {
        // The error is told; half a page is worth nothing.
        let _told = std::fs::remove_file(out);
        failed(source)
    })?;
    let text = format!("{}: {} kB, opens in any browser", out.display(), page.len() / 1000);
    if json {
        terminal::say(text);
        terminal::print_json(&serde_json::json!({ "ok": true, "file": out, "bytes": page.len() }));
    } else {
        terminal::print(text);
    }
    Ok(())
}

fn repaired(report: &RepairReport, out: &std::path::Path) -> String {
    let RepairReport { messages, verified_bytes, bytes, problems } = report;
    let mut lines: Vec<String> = problems.iter().map(|problem| format!("found: {problem}")).collect();
    if problems.is_empty() {
        lines.push("nothing was wrong with it".to_owned());
    }
    lines.push(format!(
        "{}: {messages} messages copied, verified up to byte {verified_bytes} of {bytes}",
        out.display()
    ));
    lines.join("\n")
}

fn page(summary: &LogSummary) -> String {
    let LogSummary { format, program, verb, started, task, arm, firmware, bytes, .. } = summary;
    let mut lines = vec![
        format!("run log      format {format}, written by {program}, {verb}, {started}"),
        format!("task         {task}"),
        format!("arm          {arm}, firmware {firmware}"),
        format!(
            "run          {:.1} s, {} ticks, {} commands, {} observations, {} chunks",
            summary.duration_s, summary.ticks, summary.commands, summary.observations, summary.chunks
        ),
    ];
    for camera in &summary.cameras {
        lines.push(format!("camera       {}: {} pictures; {}", camera.name, camera.frames, camera.source));
    }
    lines.push(format!("ended        {}", summary.ended.as_deref().unwrap_or("the log does not say")));
    lines.push(format!(
        "size         {:.1} MB, verified up to byte {} of {bytes}",
        *bytes as f64 * 1e-6,
        summary.verified_bytes
    ));
    let lost = &summary.lost;
    lines.push(format!(
        "dropped      {} pictures that the policy saw, {} others; {} ticks or chunks",
        lost.policy_frames, lost.other_frames, lost.control_records
    ));
    for hash in &summary.hashes {
        lines.push(format!("{:<12} {} {}", hash.of, hash.sha256, hash.path));
    }
    if summary.replayable {
        lines.push("replayable   yes".to_owned());
        if summary.policy_frames_missing > 0 {
            lines.push(format!(
                "             but not its policy: {} of the pictures that it saw are missing",
                summary.policy_frames_missing
            ));
        }
    } else {
        lines.push("replayable   NO".to_owned());
        lines.extend(summary.problems.iter().map(|problem| format!("  because    {problem}")));
    }
    lines.join("\n")
}
