//! What a check finds.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::episode::EpisodeError;

/// One thing that is wrong in a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What kind of thing.
    pub kind: ProblemKind,
    /// The file in which it shows, seen from the dataset's folder.
    pub file: PathBuf,
    /// The episode that it harms, from 0; `None` when it is all of them, or none.
    pub episode: Option<usize>,
    /// The first row of the file in which it shows, from 0.
    pub row: Option<usize>,
    /// What was expected and what was found.
    pub problem: String,
    /// What to do.
    pub fix: String,
}

/// Kinds of problems, by what they spoil.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// A file that the dataset must have is not there.
    MissingFile,
    /// A file that nothing refers to.
    ExtraFile,
    /// A file that cannot be read as what it should be.
    UnreadableFile,
    /// A path that leads out of the dataset's folder.
    OutsideFolder,
    /// Sound, but of another robot or form.
    Unfit,
    /// Counts or splits of `meta/info.json` differ from what is there.
    Count,
    /// The list of episodes has a gap, a double, or an empty episode.
    EpisodeList,
    /// The ranges that the list of episodes states contradict each other or the files.
    EpisodeRange,
    /// Rows that belong to no episode, or another number of rows than the list says.
    RowCount,
    /// `episode_index` of a row.
    EpisodeIndex,
    /// `frame_index` of a row: a gap or a double.
    FrameIndex,
    /// `index` of a row.
    Index,
    /// A stamp that is not its frame's.
    Timestamp,
    /// Stamps or pictures come at another rate than `fps`.
    FrameRate,
    /// NaN, infinity or nothing where a number belongs.
    NotFinite,
    /// A state or action of another length than the arm has joints.
    VectorLength,
    /// The list of tasks has a gap or a double.
    TaskList,
    /// A task number without a text, or another text than the list of episodes has.
    UnknownTask,
    /// Pictures of another size than stated.
    PictureSize,
    /// A video that ends before its episode.
    VideoLength,
    /// Pictures at other times than their frames.
    VideoTimes,
    /// A picture that cannot be decoded.
    Picture,
    /// The same picture again and again while the arm moves.
    FrozenPicture,
    /// `stats.json` is not what the rows say.
    Statistics,
}

/// What makes a problem go away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mending {
    /// Writing the dataset anew.
    Rewrite,
    /// Leaving the episode out.
    DropEpisode,
    /// Only a person can: no rewriting brings it back.
    ByHand,
}

impl ProblemKind {
    /// What makes it go away.
    pub const fn mending(self) -> Mending {
        match self {
            Self::ExtraFile
            | Self::Count
            | Self::EpisodeList
            | Self::EpisodeRange
            | Self::RowCount
            | Self::Index
            | Self::TaskList
            | Self::Statistics => Mending::Rewrite,
            Self::MissingFile
            | Self::UnreadableFile
            | Self::EpisodeIndex
            | Self::FrameIndex
            | Self::Timestamp
            | Self::FrameRate
            | Self::NotFinite
            | Self::VectorLength
            | Self::UnknownTask
            | Self::PictureSize
            | Self::VideoLength
            | Self::VideoTimes
            | Self::Picture
            | Self::FrozenPicture
            | Self::OutsideFolder => Mending::DropEpisode,
            Self::Unfit => Mending::ByHand,
        }
    }

    fn fix(self, episode: Option<usize>) -> String {
        let repair = "`roarm dataset repair DIR --out NEW`";
        match (self, episode) {
            (Self::MissingFile | Self::UnreadableFile, None) => {
                "copy the whole dataset folder again (meta/, data/ and videos/)".to_owned()
            }
            (Self::MissingFile | Self::UnreadableFile, Some(number)) => {
                format!("copy the file again; else {repair} writes a dataset without episode {number}")
            }
            (Self::ExtraFile, _) => {
                "delete it, or move it out of the dataset: it may be what a recording left that was cut off"
                    .to_owned()
            }
            (Self::OutsideFolder, _) => {
                "put the file into the dataset's folder and name it from there".to_owned()
            }
            (Self::Unfit, _) => "use a dataset of a RoArm-M3: six joints, in degrees".to_owned(),
            (Self::FrameRate, _) => {
                format!(
                    "correct `fps` in meta/info.json if the recording really had another rate; else {repair} drops what does not fit"
                )
            }
            (Self::EpisodeList, _) => {
                format!(
                    "take the list from a backup; else {repair} writes a dataset of the episodes that are listed"
                )
            }
            (kind, Some(number)) if matches!(kind.mending(), Mending::DropEpisode) => {
                format!("{repair} writes a dataset without episode {number}")
            }
            (kind, None) if matches!(kind.mending(), Mending::DropEpisode) => {
                format!("{repair} writes a dataset without what is broken")
            }
            _ => format!("{repair} writes it anew, with right numbers"),
        }
    }
}

/// Problems as they are found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) problems: Vec<Problem>,
}

/// Where a problem shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) file: &'a Path,
    pub(super) episode: Option<usize>,
    pub(super) row: Option<usize>,
}

impl<'a> Place<'a> {
    pub(super) const fn file(file: &'a Path) -> Self {
        Self { file, episode: None, row: None }
    }

    pub(super) const fn episode(self, episode: usize) -> Self {
        Self { episode: Some(episode), ..self }
    }

    pub(super) const fn row(self, row: usize) -> Self {
        Self { row: Some(row), ..self }
    }
}

impl Findings {
    pub(super) fn add(&mut self, kind: ProblemKind, place: Place<'_>, problem: impl Into<String>) {
        self.problems.push(Problem {
            kind,
            file: place.file.to_path_buf(),
            episode: place.episode,
            row: place.row,
            problem: problem.into(),
            fix: kind.fix(place.episode),
        });
    }

    /// An error of the strict reader, as a problem. `root` is taken off its path.
    pub(super) fn add_error(&mut self, error: &EpisodeError, root: &Path, place: Place<'_>) {
        let (kind, path, problem) = match error {
            EpisodeError::Missing { path } => (ProblemKind::MissingFile, path, "it is missing".to_owned()),
            EpisodeError::Read { path, source } => (ProblemKind::UnreadableFile, path, source.to_string()),
            EpisodeError::Damaged { path, problem } | EpisodeError::UnsupportedVideo { path, problem } => {
                (ProblemKind::UnreadableFile, path, problem.clone())
            }
            EpisodeError::Unfit { path, problem } => (ProblemKind::Unfit, path, problem.clone()),
            EpisodeError::OutsideFolder { path, target } => (
                ProblemKind::OutsideFolder,
                path,
                format!("it refers to `{target}`, outside the dataset's folder"),
            ),
            EpisodeError::Decode { path, frame, problem } => (
                ProblemKind::Picture,
                path,
                format!("frame {frame} of the file cannot be decoded: {problem}"),
            ),
            other => (ProblemKind::UnreadableFile, &place.file.to_path_buf(), other.to_string()),
        };
        let file = path.strip_prefix(root).unwrap_or(path).to_path_buf();
        self.add(kind, Place { file: &file, ..place }, problem);
    }
}
