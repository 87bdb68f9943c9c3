//! `meta/tasks.parquet`: the task texts by number.

use std::path::Path;

use super::EpisodeError;
use super::columns::Table;

/// Reads the task texts in the order of `task_index`.
///
/// The text's column is `__index_level_0__` when pandas wrote it as an index (LeRobot 0.4) and `task` later (0.6).
pub(super) fn read(path: &Path, expected: usize) -> Result<Vec<String>, EpisodeError> {
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
    let mut tasks: Vec<(usize, String)> =
        table.indices("task_index")?.into_iter().zip(table.texts(text_column)?).collect();
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
