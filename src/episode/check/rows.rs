//! The rows of the data files, every one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::lists::{FoundRows, Survey};
use super::problem::{Findings, Place, ProblemKind};
use super::reach::Reach;
use super::statistics::RowStatistics;
use super::{CheckStep, Progress};
use crate::episode::EpisodeError;
use crate::episode::columns::{JointRows, Table};
use crate::episode::frames::{COLUMNS, TIMESTAMP_TOLERANCE_S};

/// The columns of one data file as they stand.
struct Columns {
    episode: Vec<Option<i64>>,
    frame: Vec<Option<i64>>,
    index: Vec<Option<i64>>,
    task: Vec<Option<i64>>,
    timestamp: Vec<f64>,
    state: JointRows,
    action: JointRows,
}

impl Columns {
    fn read(path: &Path) -> Result<Self, EpisodeError> {
        let table = Table::read(path, |column| COLUMNS.contains(&column), None)?;
        Ok(Self {
            episode: table.raw_integers("episode_index")?,
            frame: table.raw_integers("frame_index")?,
            index: table.raw_integers("index")?,
            task: table.raw_integers("task_index")?,
            timestamp: table.raw_numbers("timestamp")?,
            state: table.raw_joint_vectors("observation.state")?,
            action: table.raw_joint_vectors("action")?,
        })
    }
}

/// What is summed up over the rows while they are judged.
#[derive(Debug, Default)]
pub(super) struct RowSums {
    pub(super) reach: Reach,
    pub(super) statistics: RowStatistics,
}

/// Judges every data file that an episode names. Fills in where each episode's rows are.
pub(super) fn check(survey: &mut Survey, findings: &mut Findings, progress: Progress<'_>) -> RowSums {
    let mut sums = RowSums::default();
    let mut by_file: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    let mut missing = BTreeSet::new();
    for (place, episode) in survey.episodes.iter().enumerate() {
        match survey.data_path(episode) {
            Ok(path) => by_file.entry(path).or_default().push(place),
            // Once a file: it may hold a hundred episodes.
            Err(error) => {
                if missing.insert(error.to_string()) || matches!(error, EpisodeError::Missing { .. }) {
                    let place = Place::file(Path::new("data")).episode(episode.number);
                    findings.add_error(&error, &survey.root, place);
                }
            }
        }
    }
    let total = by_file.len();
    for (done, (path, episodes)) in by_file.into_iter().enumerate() {
        progress(&CheckStep { file: survey.relative(&path), done, total });
        match Columns::read(&path) {
            Ok(columns) => {
                let file = survey.relative(&path).to_path_buf();
                place_episodes(survey, &episodes, &path, &file, &columns, findings);
                for place in episodes {
                    check_episode(survey, place, &file, &columns, findings, &mut sums);
                }
            }
            Err(error) => {
                for place in episodes {
                    let number = survey.episodes[place].number;
                    findings.add_error(&error, &survey.root, Place::file(Path::new("data")).episode(number));
                }
            }
        }
    }
    sums
}

/// Finds each episode's rows: where the lengths before it put them, or where its number stands.
fn place_episodes(
    survey: &mut Survey,
    episodes: &[usize],
    path: &Path,
    file: &Path,
    columns: &Columns,
    findings: &mut Findings,
) {
    let rows = columns.episode.len();
    // Of each number: its first row, and how many rows have it.
    let mut counts: HashMap<i64, (usize, usize)> = HashMap::new();
    for (row, number) in columns.episode.iter().enumerate() {
        if let Some(number) = number {
            counts.entry(*number).or_insert((row, 0)).1 += 1;
        }
    }
    let mut claimed = vec![false; rows];
    let mut start = 0_usize;
    for place in episodes {
        let episode = &mut survey.episodes[*place];
        let (number, length) = (episode.number, episode.length);
        let at = Place::file(file).episode(number);
        let own = |row: usize| columns.episode[row] == Some(number as i64);
        let expected = start..start.saturating_add(length);
        let (first, mine) = counts.get(&(number as i64)).copied().unwrap_or((0, 0));
        let run = (mine > 0).then(|| first..first + (first..rows).take_while(|row| own(*row)).count());
        let found = if expected.end <= rows && expected.clone().all(own) && mine == length {
            Some(expected)
        } else if let Some(run) = run.filter(|run| run.len() == length && mine == length) {
            let problem = format!(
                "its rows are {} to {}, the list of episodes puts them at {}",
                run.start, run.end, start
            );
            findings.add(ProblemKind::EpisodeRange, at.row(run.start), problem);
            Some(run)
        } else if mine == 0 && expected.end > rows {
            let problem = format!("none of its {length} rows is there: the file has {rows}");
            findings.add(ProblemKind::EpisodeIndex, at, problem);
            None
        } else {
            let wrong = expected.clone().find(|row| *row >= rows || !own(*row)).unwrap_or(start);
            let problem = match columns.episode.get(wrong) {
                Some(value) => format!(
                    "{mine} rows have its number, the list of episodes says {length}; column `episode_index` holds {} in row \
                     {wrong}, expected {number}",
                    value.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
                ),
                None => format!(
                    "{mine} rows have its number, the list of episodes says {length}: the file ends at row {rows}"
                ),
            };
            findings.add(ProblemKind::EpisodeIndex, at.row(wrong.min(rows)), problem);
            None
        };
        let claim = found.clone().unwrap_or(start.min(rows)..start.saturating_add(length).min(rows));
        claimed[claim].fill(true);
        episode.rows = found.map(|rows| FoundRows { path: path.to_path_buf(), rows });
        start = start.saturating_add(length);
    }
    let left = claimed.iter().filter(|claimed| !**claimed).count();
    if let Some(first) = claimed.iter().position(|claimed| !claimed) {
        let problem = format!("{left} of its {rows} rows belong to no episode of the list");
        findings.add(ProblemKind::RowCount, Place::file(file).row(first), problem);
    }
}

fn check_episode(
    survey: &Survey,
    place: usize,
    file: &Path,
    columns: &Columns,
    findings: &mut Findings,
    sums: &mut RowSums,
) {
    let episode = &survey.episodes[place];
    let Some(found) = &episode.rows else { return };
    let rows = found.rows.clone();
    let at = Place::file(file).episode(episode.number);
    let first_index =
        survey.episodes[..place].iter().fold(0_usize, |sum, before| sum.saturating_add(before.length));
    for (kind, name, column, first) in [
        (ProblemKind::FrameIndex, "frame_index", &columns.frame, 0),
        (ProblemKind::Index, "index", &columns.index, first_index),
    ] {
        let wrong = |row: &usize| column[*row] != Some(first.saturating_add(row - rows.start) as i64);
        if let Some(row) = rows.clone().find(wrong) {
            let count = rows.clone().filter(wrong).count();
            let value = column[row].map_or_else(|| "nothing".to_owned(), |value| value.to_string());
            let problem = format!(
                "column `{name}` holds {value}, expected {}: a gap or a double{}",
                first.saturating_add(row - rows.start),
                more(count)
            );
            findings.add(kind, at.row(row), problem);
        }
    }
    check_stamps(survey.info.fps, &columns.timestamp[rows.clone()], rows.start, at, findings);
    check_tasks(survey, place, &columns.task[rows.clone()], rows.start, at, findings);
    let mut sound = true;
    for (name, column) in [("observation.state", &columns.state), ("action", &columns.action)] {
        let mut others = column.other_lengths.iter().filter(|(row, _)| rows.contains(row));
        if let Some((row, length)) = others.next() {
            let problem = format!("`{name}` has {length} numbers, expected 6{}", more(others.count() + 1));
            findings.add(ProblemKind::VectorLength, at.row(*row), problem);
            sound = false;
            continue;
        }
        let broken = |row: &usize| column.values[*row].iter().any(|value| !value.is_finite());
        if let Some(row) = rows.clone().find(broken) {
            let count = rows.clone().filter(broken).count();
            let problem =
                format!("`{name}` is {:?}: not all finite numbers{}", column.values[row], more(count));
            findings.add(ProblemKind::NotFinite, at.row(row), problem);
            sound = false;
        }
    }
    if sound {
        sums.reach.add(&columns.action.values[rows.clone()]);
        sums.statistics.add(
            episode.number,
            &columns.state.values[rows.clone()],
            &columns.action.values[rows],
        );
    }
}

fn more(count: usize) -> String {
    match count.saturating_sub(1) {
        0 => String::new(),
        1 => " (and in 1 more row)".to_owned(),
        others => format!(" (and in {others} more rows)"),
    }
}

fn check_stamps(fps: f64, stamps: &[f64], start: usize, at: Place<'_>, findings: &mut Findings) {
    if let Some(row) = stamps.iter().position(|stamp| !stamp.is_finite()) {
        findings.add(ProblemKind::NotFinite, at.row(start + row), format!("`timestamp` is {}", stamps[row]));
        return;
    }
    // Stored as float32, whose own step grows with the time.
    let far = |(frame, stamp): (usize, f64)| {
        let expected = frame as f64 / fps;
        (stamp - expected).abs() > TIMESTAMP_TOLERANCE_S + expected * f64::from(f32::EPSILON)
    };
    let wrong = stamps.iter().copied().enumerate().filter(|entry| far(*entry)).count();
    let Some(frame) = stamps.iter().copied().enumerate().position(far) else { return };
    // Even steps of another length are one fault, not one a row.
    let mean = match (stamps.first(), stamps.last()) {
        (Some(first), Some(last)) if stamps.len() > 1 => (last - first) / (stamps.len() - 1) as f64,
        _ => 0.0,
    };
    let even = mean > 0.0
        && stamps
            .windows(2)
            .all(|pair| (pair[1] - pair[0] - mean).abs() <= 1e-3 / fps + 2.0 * TIMESTAMP_TOLERANCE_S);
    if even && (mean * fps - 1.0).abs() > 1e-3 {
        let problem = format!(
            "its stamps are {mean:.4} s apart, {:.2} a second; meta/info.json says {fps} frames a second",
            1.0 / mean
        );
        findings.add(ProblemKind::FrameRate, at.row(start + frame), problem);
    } else {
        let problem = format!(
            "frame {frame} is stamped {:.4} s, expected {:.4} s at {fps} frames a second{}",
            stamps[frame],
            frame as f64 / fps,
            more(wrong)
        );
        findings.add(ProblemKind::Timestamp, at.row(start + frame), problem);
    }
}

fn check_tasks(
    survey: &Survey,
    place: usize,
    tasks: &[Option<i64>],
    start: usize,
    at: Place<'_>,
    findings: &mut Findings,
) {
    if survey.tasks.is_empty() {
        // Without a readable list, which is a finding of its own, there is nothing to compare with.
        return;
    }
    let text = |task: Option<i64>| {
        task.and_then(|task| usize::try_from(task).ok())
            .and_then(|task| survey.tasks.get(task))
            .and_then(Option::as_deref)
    };
    if let Some(row) = tasks.iter().position(|task| text(*task).is_none()) {
        let value = tasks[row].map_or_else(|| "nothing".to_owned(), |task| task.to_string());
        let count = tasks.iter().filter(|task| text(**task).is_none()).count();
        let problem = format!(
            "task_index {value} is not in the list of tasks, which has {}{}",
            survey.tasks.len(),
            more(count)
        );
        findings.add(ProblemKind::UnknownTask, at.row(start + row), problem);
        return;
    }
    let listed = &survey.episodes[place].tasks;
    let other =
        |task: &Option<i64>| text(*task).is_some_and(|text| !listed.iter().any(|listed| listed == text));
    if let Some(row) = tasks.iter().position(other).filter(|_| !listed.is_empty()) {
        let problem = format!(
            "its rows have the task `{}`, the list of episodes says {listed:?}",
            text(tasks[row]).unwrap_or_default()
        );
        findings.add(ProblemKind::TaskList, at.row(start + row), problem);
    }
}
