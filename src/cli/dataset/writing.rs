//! What `export` and `repair` have in common: a new dataset, with progress, that Ctrl-C ends between two frames.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::exit::{CliError, Exit};
use crate::cli::signals::Signals;
use crate::cli::terminal::{self, Progress};
use crate::control::EndCause;
use crate::episode::{EpisodeSource, PictureStorage, WriteStep, write_dataset};

/// The result of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct Written {
    pub(super) ok: bool,
    pub(super) out: PathBuf,
    /// Episodes and frames of the new dataset.
    pub(super) episodes: usize,
    pub(super) frames: usize,
    /// Episodes of the old one that are not in it.
    pub(super) dropped: Vec<usize>,
    /// Whether it was only said what would be done.
    pub(super) dry_run: bool,
}

/// Writes the dataset and says so.
pub(super) fn write(
    source: &mut dyn EpisodeSource,
    out: &Path,
    storage: PictureStorage,
    dropped: Vec<usize>,
    json: bool,
) -> Result<Exit, CliError> {
    let signals = Signals::catch()?;
    let (step, ended_by) = make(source, out, storage, &signals)?;
    let ok = ended_by.is_none();
    let written = Written {
        ok,
        out: out.to_path_buf(),
        episodes: step.episodes,
        frames: step.frames,
        dropped,
        dry_run: false,
    };
    let text = format!("{}: {} episodes, {} frames", out.display(), step.episodes, step.frames);
    if let Some(cause) = ended_by {
        terminal::say(format!("ended by {cause}; {text} are whole"));
    } else if json {
        terminal::say(&text);
    } else {
        terminal::print(&text);
    }
    if json {
        terminal::print_json(&written);
    }
    Ok(ended_by.map_or(Exit::Done, Exit::after_run))
}

/// Writes the dataset, with progress. Gives what is in it, and the signal that ended it early.
pub(super) fn make(
    source: &mut dyn EpisodeSource,
    out: &Path,
    storage: PictureStorage,
    signals: &Signals,
) -> Result<(WriteStep, Option<EndCause>), CliError> {
    let mut ended_by = None;
    let mut progress = Progress::new();
    let result = write_dataset(source, out, storage, &mut |step| {
        progress.update(|| {
            format!("episode {} of {}, {} frames written", step.episodes + 1, step.of_episodes, step.frames)
        });
        ended_by = signals.take();
        ended_by.is_none()
    });
    progress.finish();
    Ok((result?, ended_by))
}

/// How pictures are written: as asked for, else as they were.
pub(super) const fn storage(images: bool, video: bool, before: PictureStorage) -> PictureStorage {
    match (images, video) {
        (true, _) => PictureStorage::Images,
        (_, true) => PictureStorage::Video,
        _ => before,
    }
}
