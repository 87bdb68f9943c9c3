//! `roarm dataset export RUNLOG...`: run logs as a dataset.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::export::ExportFlags;
use super::writing;
use crate::cli::exit::{CliError, Exit};
use crate::cli::signals::Signals;
use crate::cli::terminal::{self, Progress};
use crate::episode::{LoggedEpisode, LoggedRuns, PictureStorage};

/// The object of `--json`.
#[derive(Serialize)]
struct Told<'a> {
    ok: bool,
    out: &'a Path,
    /// Episodes and frames of the new dataset.
    episodes: usize,
    frames: usize,
    /// Episodes that failed or are incomplete.
    set_aside: Vec<SetAside>,
    /// Where those are; `null` where they were left out.
    failed_out: Option<&'a Path>,
    dry_run: bool,
}

#[derive(Serialize)]
struct SetAside {
    log: PathBuf,
    /// The episode's number in its log.
    episode: usize,
    frames: usize,
    reason: String,
    /// Whether it is in the dataset of those that failed.
    kept: bool,
}

/// Exports the logs that the flags name.
pub(super) fn export(flags: &ExportFlags) -> Result<Exit, CliError> {
    if let Some(fps) = flags.fps.filter(|fps| !(*fps > 0.0 && *fps <= 1000.0)) {
        return Err(CliError::Arguments(format!("--fps {fps}: give frames a second, such as 30")));
    }
    let mut progress = Progress::new();
    let runs = LoggedRuns::read(&flags.from, flags.fps, &mut |log| {
        progress.update(|| format!("reading {}", log.display()));
    });
    progress.finish();
    let runs = runs?;
    let sound = runs.episodes().iter().filter(|episode| episode.set_aside.is_none());
    let (episodes, frames) = (sound.clone().count(), sound.map(LoggedEpisode::length).sum());
    let set_aside = set_aside(&runs, flags.failed.is_some());
    if episodes == 0 && !set_aside.iter().any(|episode| episode.kept) {
        let reason = match set_aside.first() {
            Some(first) => format!("no episode of them is sound (the first: {})", first.reason),
            None => "the policy moved the arm in none of them".to_owned(),
        };
        let problem = format!("{reason}; --failed DIR writes those that are not");
        return Err(CliError::Refused(format!("{} is not written: {problem}", flags.out.display())));
    }
    let told = |ok, episodes, frames, set_aside| Told {
        ok,
        out: &flags.out,
        episodes,
        frames,
        set_aside,
        failed_out: flags.failed.as_deref(),
        dry_run: flags.dry_run,
    };
    let say = |text: String| if flags.json { terminal::say(text) } else { terminal::print(text) };
    if flags.dry_run {
        say(format!("would write {episodes} episodes, {frames} frames to {}", flags.out.display()));
        if flags.json {
            terminal::print_json(&told(true, episodes, frames, set_aside));
        }
        return Ok(Exit::Done);
    }
    // A log has each picture as it was captured; video is what others expect, and small.
    let storage = writing::storage(flags.images, flags.video, PictureStorage::Video);
    let signals = Signals::catch()?;
    let parts = [(Some(&flags.out), true), (flags.failed.as_ref(), false)];
    let (mut written, mut ended_by) = ((0, 0), None);
    for (out, good) in parts.into_iter().filter_map(|(out, good)| Some((out?, good))) {
        let mut source = runs.select(|episode| episode.set_aside.is_none() == good);
        if source.episodes().is_empty() || ended_by.is_some() {
            continue;
        }
        let (step, ended) = writing::make(&mut source, out, storage, &signals)?;
        say(format!("{}: {} episodes, {} frames", out.display(), step.episodes, step.frames));
        if good {
            written = (step.episodes, step.frames);
        }
        ended_by = ended;
    }
    if let Some(cause) = ended_by {
        terminal::say(format!("ended by {cause}: only the episodes that were told are there, whole"));
    }
    if flags.json {
        terminal::print_json(&told(ended_by.is_none(), written.0, written.1, set_aside));
    }
    Ok(ended_by.map_or(Exit::Done, Exit::after_run))
}

/// The episodes that are no good examples, each told.
fn set_aside(runs: &LoggedRuns, keep: bool) -> Vec<SetAside> {
    let told = runs.episodes().iter().filter_map(|episode| {
        let reason = episode.set_aside.clone()?;
        let kept = keep && runs.has_all_pictures(episode);
        let verb = if kept { "kept apart" } else { "left out" };
        let LoggedEpisode { log, number, .. } = episode;
        terminal::say(format!("{verb}: episode {number} of {}: {reason}", log.display()));
        Some(SetAside { log: log.clone(), episode: *number, frames: episode.length(), reason, kept })
    });
    told.collect()
}
