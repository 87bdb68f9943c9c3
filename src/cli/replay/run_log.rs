//! `roarm replay --log`: a recorded run again, without devices.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::exit::{CliError, Exit};
use super::super::plan::{self, PolicyFlags};
use super::super::terminal;
use super::ReplayFlags;
use crate::config::Config;
use crate::episode::run_log::{RunLogReader, RunRecord};
use crate::policy::{Bundle, ChunkProducer};
use crate::replay::{self, ReplayReport};

/// The object of `--json`.
#[derive(Serialize)]
struct Told<'a> {
    ok: bool,
    file: &'a Path,
    #[serde(flatten)]
    report: &'a ReplayReport,
}

/// Plays the run of `log` again.
pub(super) fn replay(flags: &ReplayFlags, log: &Path) -> Result<Exit, CliError> {
    let run = RunLogReader::open(log)?.run().clone();
    let mut policy = if flags.core_only { None } else { Some(policy(flags, &run)?) };
    let report = replay::replay(log, policy.as_mut())?;
    let text = told(&report, flags.core_only);
    if flags.json {
        terminal::say(text);
        terminal::print_json(&Told { ok: report.identical, file: log, report: &report });
    } else {
        terminal::print(text);
    }
    Ok(if report.identical { Exit::Done } else { Exit::Failed })
}

/// The run's policy as it ran.
fn policy(flags: &ReplayFlags, run: &RunRecord) -> Result<ChunkProducer, CliError> {
    let folder = flags.policy.clone().unwrap_or_else(|| PathBuf::from(&run.policy.folder));
    let bundle = Bundle::load(&folder)?;
    let recorded = run.hashes.iter().find(|hash| hash.of == "bundle");
    if recorded.is_some_and(|recorded| recorded.sha256 != bundle.digest()) {
        return Err(CliError::Refused(format!(
            "{} is not the bundle of this run (its hash is another): give that one with --policy, or leave the policy out with --core-only",
            folder.display()
        )));
    }
    producer(flags, run, &folder, &bundle)
}

/// A policy with the run's settings: task, seed, threads, scale.
pub(super) fn producer(
    flags: &ReplayFlags,
    run: &RunRecord,
    folder: &Path,
    bundle: &Bundle,
) -> Result<ChunkProducer, CliError> {
    let mut config = Config::defaults();
    config.policy.action_scale = run.policy.action_scale.into();
    let threads = flags.inference.threads.or(Some(run.policy.threads)).filter(|threads| *threads > 0);
    let inference = PolicyFlags { threads, ..flags.inference.clone() };
    terminal::say(format!("policy {} on {}", folder.display(), plan::device(&inference, &config)));
    let mut engine = plan::engine(bundle, &inference, &config)?;
    engine.set_task(&run.task)?;
    Ok(ChunkProducer::new(Box::new(engine), run.policy.noise_seed)
        .with_real_time_chunking(run.policy.chunking))
}

fn told(report: &ReplayReport, core_only: bool) -> String {
    let ReplayReport { ticks, commands, chunks, chunks_without_pictures, difference, cut, .. } = report;
    let mut lines = vec![format!("played again: {ticks} ticks with {commands} commands, {chunks} chunks")];
    if *chunks_without_pictures > 0 {
        lines.push(format!(
            "{chunks_without_pictures} chunks were left out: pictures that the policy saw are missing"
        ));
    }
    if let Some(cut) = cut {
        lines.push(format!("the log is not the whole run: {cut}"));
    }
    lines.push(match difference {
        Some(difference) => format!("DIFFERENT: {difference}"),
        None if core_only => "the core gives the same, bit by bit; the policy was left out".to_owned(),
        None => "core and policy give the same, bit by bit".to_owned(),
    });
    lines.join("\n")
}
