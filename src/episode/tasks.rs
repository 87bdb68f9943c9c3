//! `meta/tasks.parquet` or `meta/tasks.jsonl`: the task texts by number.

use std::path::Path;

use super::EpisodeError;
use super::columns::Table;
use super::legacy;

/// Reads the task texts of layout v3.0 in the order of `task_index`.
pub(super) fn read(path: &Path, expected: usize) -> Result<Vec<String>, EpisodeError> {
    in_order(entries(path)?, path, expected)
}

/// Reads the task texts of layouts v2.0 and v2.1 in the order of `task_index`.
pub(super) fn read_lines(path: &Path, expected: usize) -> Result<Vec<String>, EpisodeError> {
    let lines: Vec<legacy::TaskLine> = legacy::lines(path)?;
    in_order(lines.into_iter().map(|line| (line.task_index, line.task)).collect(), path, expected)
}

/// Numbers and texts as they stand in the file.
///
/// The text's column is `__index_level_0__` when pandas wrote it as an index (LeRobot 0.4) and `task` later (0.6).
pub(super) fn entries(path: &Path) -> Result<Vec<(usize, String)>, EpisodeError> {
    let table = Table::read(path, |_| true, None)?;
    let columns = table.columns();
    let text_column =
        ["task", "__index_level_0__"].into_iter().find(|name| columns.iter().any(|known| known == name));
    let text_column = text_column.ok_or_else(|| {
        EpisodeError::damaged(
            path,
            format!("no column `task` or `__index_level_0__` holds the texts (it has {columns:?})"),
        )
    })?;
    Ok(table.indices("task_index")?.into_iter().zip(table.texts(text_column)?).collect())
}

fn in_order(
    mut tasks: Vec<(usize, String)>,
    path: &Path,
    expected: usize,
) -> Result<Vec<String>, EpisodeError> {
    tasks.sort_by_key(|(index, _)| *index);
    if tasks.len() != expected {
        let problem = format!("it has {} tasks, meta/info.json says {expected}", tasks.len());
        return Err(EpisodeError::damaged(path, problem));
    }
    if let Some(gap) = tasks.iter().enumerate().position(|(place, (index, _))| place != *index) {
        return Err(EpisodeError::damaged(path, format!("task_index {gap} is missing or stands twice")));
    }
    Ok(tasks.into_iter().map(|(_, text)| text).collect())
}
