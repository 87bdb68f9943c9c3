//! `meta/episodes` and `meta/tasks.parquet` of a new dataset.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int64Builder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{Field, Schema};
use serde_json::json;

use super::parquet_file;
use super::statistics::{FeatureStatistics, Kind, NAMES};
use crate::episode::EpisodeError;

/// A closed episode, as the list will have it.
#[derive(Clone, Debug)]
pub(super) struct ClosedEpisode {
    pub(super) length: usize,
    pub(super) first_index: usize,
    /// Its task texts, each once, in the order of their first frames.
    pub(super) tasks: Vec<String>,
    /// Chunk and file of its rows and of each video.
    pub(super) file: (usize, usize),
    /// Cameras with video, and the length of this episode's film, seconds.
    pub(super) videos: Vec<(String, f64)>,
    /// By feature, in LeRobot's order.
    pub(super) statistics: Vec<(String, FeatureStatistics)>,
}

/// Writes the list of episodes.
pub(super) fn write_episodes(path: &Path, episodes: &[ClosedEpisode]) -> Result<(), EpisodeError> {
    let integers = |of: &dyn Fn(usize, &ClosedEpisode) -> usize| -> ArrayRef {
        let values = episodes.iter().enumerate().map(|(number, episode)| of(number, episode) as i64);
        Arc::new(Int64Array::from_iter_values(values))
    };
    let mut columns: Vec<(String, ArrayRef)> =
        vec![("episode_index".to_owned(), integers(&|number, _| number))];
    let mut tasks = ListBuilder::new(StringBuilder::new()).with_field(element(arrow_schema::DataType::Utf8));
    for episode in episodes {
        episode.tasks.iter().for_each(|task| tasks.values().append_value(task));
        tasks.append(true);
    }
    columns.push(("tasks".to_owned(), Arc::new(tasks.finish())));
    columns.push(("length".to_owned(), integers(&|_, episode| episode.length)));
    columns.push(("data/chunk_index".to_owned(), integers(&|_, episode| episode.file.0)));
    columns.push(("data/file_index".to_owned(), integers(&|_, episode| episode.file.1)));
    columns.push(("dataset_from_index".to_owned(), integers(&|_, episode| episode.first_index)));
    columns
        .push(("dataset_to_index".to_owned(), integers(&|_, episode| episode.first_index + episode.length)));
    let Some(first) = episodes.first() else { return Ok(()) };
    for (place, (key, _)) in first.videos.iter().enumerate() {
        columns.push((format!("videos/{key}/chunk_index"), integers(&|_, episode| episode.file.0)));
        columns.push((format!("videos/{key}/file_index"), integers(&|_, episode| episode.file.1)));
        // Each episode has a film of its own.
        let zeros = Float64Array::from_iter_values(episodes.iter().map(|_| 0.0));
        let ends = Float64Array::from_iter_values(episodes.iter().map(|episode| episode.videos[place].1));
        columns.push((format!("videos/{key}/from_timestamp"), Arc::new(zeros)));
        columns.push((format!("videos/{key}/to_timestamp"), Arc::new(ends)));
    }
    for (place, (feature, _)) in first.statistics.iter().enumerate() {
        for (name, statistic) in NAMES.iter().enumerate() {
            let rows = episodes.iter().map(|episode| &episode.statistics[place].1);
            columns.push((format!("stats/{feature}/{statistic}"), statistic_column(rows, name)));
        }
    }
    columns.push(("meta/episodes/chunk_index".to_owned(), integers(&|_, _| 0)));
    columns.push(("meta/episodes/file_index".to_owned(), integers(&|_, _| 0)));
    parquet_file::write(path, &table(path, columns, HashMap::new())?)
}

/// One statistic of one feature: `[n]`, whole numbers where the feature's are, and `[3][1][1]` for pictures.
fn statistic_column<'a>(rows: impl Iterator<Item = &'a FeatureStatistics>, name: usize) -> ArrayRef {
    use arrow_schema::DataType::{Float64, Int64};

    let rows: Vec<&FeatureStatistics> = rows.collect();
    let kind = rows.first().map_or(Kind::Floats, |row| row.kind);
    let whole = NAMES[name] == "count" || (kind == Kind::Integers && matches!(NAMES[name], "min" | "max"));
    if whole {
        let mut lists = ListBuilder::new(Int64Builder::new()).with_field(element(Int64));
        for row in rows {
            row.values(name).iter().for_each(|value| lists.values().append_value(*value as i64));
            lists.append(true);
        }
        return Arc::new(lists.finish());
    }
    let numbers = || ListBuilder::new(Float64Builder::new()).with_field(element(Float64));
    if kind != Kind::Pictures {
        let mut lists = numbers();
        for row in rows {
            row.values(name).iter().for_each(|value| lists.values().append_value(*value));
            lists.append(true);
        }
        return Arc::new(lists.finish());
    }
    let list_of = |inner: arrow_schema::DataType| element(arrow_schema::DataType::List(element(inner)));
    let inner = ListBuilder::new(numbers()).with_field(list_of(Float64));
    let mut lists =
        ListBuilder::new(inner).with_field(element(arrow_schema::DataType::List(list_of(Float64))));
    for row in rows {
        for value in row.values(name) {
            lists.values().values().values().append_value(value);
            lists.values().values().append(true);
            lists.values().append(true);
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}

/// pyarrow's name for what a list holds.
fn element(of: arrow_schema::DataType) -> Arc<Field> {
    Arc::new(Field::new("element", of, true))
}

/// Writes the task texts in the order of their numbers, as a pandas table with the text as index: LeRobot looks texts up by it.
pub(super) fn write_tasks(path: &Path, tasks: &[String]) -> Result<(), EpisodeError> {
    let note = json!({
        "index_columns": ["__index_level_0__"],
        "column_indexes": [
            {"name": null, "field_name": null, "pandas_type": "unicode", "numpy_type": "object", "metadata": {"encoding": "UTF-8"}}
        ],
        "columns": [
            {"name": "task_index", "field_name": "task_index", "pandas_type": "int64", "numpy_type": "int64", "metadata": null},
            {"name": null, "field_name": "__index_level_0__", "pandas_type": "unicode", "numpy_type": "object", "metadata": null}
        ],
        "creator": {"library": "pyarrow", "version": "20.0.0"},
        "pandas_version": "2.2.3"
    });
    let columns: Vec<(String, ArrayRef)> = vec![
        (
            "task_index".to_owned(),
            Arc::new(Int64Array::from_iter_values((0..tasks.len()).map(|task| task as i64))),
        ),
        ("__index_level_0__".to_owned(), Arc::new(StringArray::from_iter_values(tasks))),
    ];
    let notes = HashMap::from([("pandas".to_owned(), note.to_string())]);
    parquet_file::write(path, &table(path, columns, notes)?)
}

fn table(
    path: &Path,
    columns: Vec<(String, ArrayRef)>,
    notes: HashMap<String, String>,
) -> Result<RecordBatch, EpisodeError> {
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(name, array.data_type().clone(), true)).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new_with_metadata(fields, notes)), arrays)
        .map_err(|error| EpisodeError::write(path, std::io::Error::other(error.to_string())))
}
