//! The rows of one episode in a data file.

use std::path::Path;

use super::EpisodeError;
use super::catalog::EpisodeRecord;
use super::columns::Table;
use crate::types::DatasetAngles;

pub(super) const COLUMNS: [&str; 7] =
    ["observation.state", "action", "timestamp", "frame_index", "episode_index", "index", "task_index"];

/// How far a timestamp may stand from its frame number, seconds (LeRobot's own `tolerance_s`).
pub(super) const TIMESTAMP_TOLERANCE_S: f64 = 1e-4;

/// One episode's columns.
pub(super) struct EpisodeRows {
    pub(super) states: Vec<DatasetAngles>,
    pub(super) actions: Vec<DatasetAngles>,
    /// Seconds from the episode's start.
    pub(super) timestamps: Vec<f64>,
    /// The task of each row.
    pub(super) tasks: Vec<usize>,
}

/// Reads episode number `episode` and checks that its rows are its own, complete and in order.
pub(super) fn read(
    path: &Path,
    episode: usize,
    record: &EpisodeRecord,
    fps: f64,
    task_count: usize,
) -> Result<EpisodeRows, EpisodeError> {
    let table = Table::read(path, |column| COLUMNS.contains(&column), Some(record.data_rows.clone()))?;
    let damaged = |problem: String| EpisodeError::damaged(path, format!("episode {episode}: {problem}"));
    if table.rows() != record.length {
        return Err(damaged(format!("{} rows could be read, expected {}", table.rows(), record.length)));
    }
    for (column, first) in
        [("episode_index", None), ("frame_index", Some(0)), ("index", Some(record.first_index))]
    {
        for (row, found) in table.indices(column)?.into_iter().enumerate() {
            let expected = first.map_or(episode, |first| first + row);
            if found != expected {
                let row = record.data_rows.start + row;
                return Err(damaged(format!(
                    "column `{column}` holds {found} in row {row}, expected {expected}: a gap"
                )));
            }
        }
    }
    let timestamps = table.numbers("timestamp")?;
    for (frame, found) in timestamps.iter().enumerate() {
        let expected = frame as f64 / fps;
        // Stored as float32, whose own step grows with the time.
        let tolerance = TIMESTAMP_TOLERANCE_S + expected * f64::from(f32::EPSILON);
        if (found - expected).abs() > tolerance {
            return Err(damaged(format!(
                "frame {frame} is stamped {found} s, expected {expected} s at {fps} frames a second"
            )));
        }
    }
    let tasks = table.indices("task_index")?;
    if let Some(unknown) = tasks.iter().find(|task| **task >= task_count) {
        return Err(damaged(format!(
            "task_index {unknown} is not in meta/tasks.parquet, which has {task_count}"
        )));
    }
    let angles = |column| -> Result<Vec<DatasetAngles>, EpisodeError> {
        Ok(table.joint_vectors(column)?.into_iter().map(DatasetAngles::from_array_deg).collect())
    };
    Ok(EpisodeRows { states: angles("observation.state")?, actions: angles("action")?, timestamps, tasks })
}
