//! Everything that can be wrong in a dataset, found at once.
//!
//! The reader of [`Dataset`](super::Dataset) stops at the first fault. A check goes on: it trusts `meta/info.json` no further than
//! needed to find the files, compares each list, row, stamp and picture with all others, and names file, episode, row and fix.

mod files;
mod lists;
mod problem;
mod reach;
mod rows;
mod statistics;
mod videos;

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

pub(in crate::episode) use self::lists::{FoundRows, Survey};
pub use self::problem::{Mending, Problem, ProblemKind};
pub use self::reach::Unreachable;

use self::problem::{Findings, Place};
use super::EpisodeError;
use super::info::DatasetInfo;
use super::path_template;

/// How far a check is.
#[derive(Clone, Copy, Debug)]
pub struct CheckStep<'a> {
    /// The file that is judged now, seen from the dataset's folder.
    pub file: &'a Path,
    /// Files of its kind that are done.
    pub done: usize,
    /// Files of its kind.
    pub total: usize,
}

type Progress<'a> = &'a mut dyn FnMut(&CheckStep<'_>);

/// What a check is to look at.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckOptions {
    /// Decode every picture: finds damaged and frozen ones, and takes some milliseconds a picture.
    pub decode_pictures: bool,
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckReport {
    /// Whether nothing is wrong.
    pub ok: bool,
    /// Episodes in the list.
    pub episodes: usize,
    /// Frames of these.
    pub frames: usize,
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
    /// Actions that the arm cannot execute, by firmware generation. They do not make the dataset unsound.
    pub unreachable: Vec<Unreachable>,
}

impl CheckReport {
    /// The episodes that no rewriting makes sound.
    pub fn broken_episodes(&self) -> BTreeSet<usize> {
        let broken = |problem: &&Problem| problem.kind.mending() == Mending::DropEpisode;
        self.problems.iter().filter(broken).filter_map(|problem| problem.episode).collect()
    }
}

/// Checks the dataset in `folder`.
///
/// Fails only when the folder itself cannot be opened; everything else is a problem in the report.
pub fn check(
    folder: impl AsRef<Path>,
    options: CheckOptions,
    progress: &mut dyn FnMut(&CheckStep<'_>),
) -> Result<CheckReport, EpisodeError> {
    Ok(survey(folder.as_ref(), options, progress)?.0)
}

/// As [`check`]; with what was found, unless `info.json` was of no use.
pub(in crate::episode) fn survey(
    folder: &Path,
    options: CheckOptions,
    progress: &mut dyn FnMut(&CheckStep<'_>),
) -> Result<(CheckReport, Option<Survey>), EpisodeError> {
    let root = folder.canonicalize().map_err(|source| EpisodeError::read(folder, source))?;
    let mut findings = Findings::default();
    let info_path = root.join("meta/info.json");
    let info =
        path_template::inside(&root, "meta/info.json", &info_path).and_then(|path| DatasetInfo::read(&path));
    let info = match info {
        Ok(info) => info,
        Err(error) => {
            findings.add_error(&error, &root, Place::file(Path::new("meta/info.json")));
            let problems = findings.problems;
            return Ok((
                CheckReport { ok: false, episodes: 0, frames: 0, problems, unreachable: Vec::new() },
                None,
            ));
        }
    };
    let mut survey = Survey::read(root, info, &mut findings);
    let sums = rows::check(&mut survey, &mut findings, progress);
    videos::check(&survey, options.decode_pictures, &mut findings, progress);
    sums.statistics.check(&survey, &mut findings);
    files::check(&survey, &mut findings);
    let report = CheckReport {
        ok: findings.problems.is_empty(),
        episodes: survey.episodes.len(),
        // A damaged list may hold any number.
        frames: survey.episodes.iter().fold(0, |sum, episode| sum.saturating_add(episode.length)),
        problems: findings.problems,
        unreachable: sums.reach.unreachable(),
    };
    Ok((report, Some(survey)))
}
