//! `roarm replay --log RUN --swap-policy BUNDLE`: what another policy would have done.

use std::path::Path;

use serde::Serialize;

use super::super::exit::{CliError, Exit};
use super::super::terminal;
use super::ReplayFlags;
use super::run_log;
use crate::episode::run_log::RunLogReader;
use crate::policy::Bundle;
use crate::replay::{self, SwapReport};

/// The object of `--json`.
#[derive(Serialize)]
struct Told<'a> {
    ok: bool,
    file: &'a Path,
    policy: &'a Path,
    #[serde(flatten)]
    report: &'a SwapReport,
}

/// Asks the policy in `folder` for every chunk of the run.
pub(super) fn swap(flags: &ReplayFlags, log: &Path, folder: &Path) -> Result<Exit, CliError> {
    let run = RunLogReader::open(log)?.run().clone();
    let bundle = Bundle::load(folder)?;
    let slots: Vec<&str> = bundle.slots().iter().map(|slot| slot.short_name()).collect();
    let cameras: Vec<&str> = run.cameras.iter().map(|camera| camera.name.as_str()).collect();
    if slots != cameras {
        return Err(CliError::Refused(format!(
            "{} wants the cameras {}, the run had {}: it cannot see what the run saw",
            folder.display(),
            slots.join(", "),
            cameras.join(", ")
        )));
    }
    let mut producer = run_log::producer(flags, &run, folder, &bundle)?;
    let report = replay::swap_policy(log, &mut producer)?;
    if report.chunks == 0 {
        return Err(CliError::Refused(format!(
            "{} holds no chunk whose pictures are there: nothing to compare",
            log.display()
        )));
    }
    let text = told(&report);
    if flags.json {
        terminal::say(text);
        terminal::print_json(&Told { ok: true, file: log, policy: folder, report: &report });
    } else {
        terminal::print(text);
    }
    Ok(Exit::Done)
}

fn told(report: &SwapReport) -> String {
    let mut lines = vec![format!(
        "{} chunks, {} actions of each: distance of the two policies, and what each says by itself",
        report.chunks, report.actions_per_chunk
    )];
    if report.chunks_without_pictures > 0 {
        lines.push(format!(
            "{} chunks were left out: their pictures are missing",
            report.chunks_without_pictures
        ));
    }
    lines.push(format!(
        "{:<10}{:>10}{:>10}{:>12}{:>12}{:>12}{:>12}",
        "joint", "mean °", "max °", "|z| run", "|z| other", "spread run", "other °"
    ));
    for joint in &report.joints {
        lines.push(format!(
            "{:<10}{:>10.2}{:>10.2}{:>12.2}{:>12.2}{:>12.2}{:>12.2}",
            joint.joint,
            joint.mean_deg,
            joint.max_deg,
            joint.recorded_max_z,
            joint.swapped_max_z,
            joint.recorded_spread_deg,
            joint.swapped_spread_deg
        ));
    }
    lines.push(
        "the arm did not follow the other policy: only its answers to what the run saw are compared"
            .to_owned(),
    );
    lines.join("\n")
}
