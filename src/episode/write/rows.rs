//! The data file of one episode.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, StringBuilder};
use arrow_array::{ArrayRef, FixedSizeListArray, Float32Array, Int64Array, RecordBatch, StructArray};
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

use super::parquet_file;
use crate::episode::EpisodeError;
use crate::types::JOINT_COUNT;

/// Rows that wait before they are handed to the parquet writer.
const BATCH_ROWS: usize = 32;

/// Encoded bytes at which a row group ends, so that an episode of pictures does not pile up in memory.
const ROW_GROUP_BYTES: usize = 64 << 20;

/// One row without its pictures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) state: [f32; JOINT_COUNT],
    pub(super) action: [f32; JOINT_COUNT],
    pub(super) timestamp: f32,
    pub(super) frame: usize,
    pub(super) episode: usize,
    pub(super) index: usize,
    pub(super) task: usize,
}

/// Writes the rows of one episode.
pub(super) struct RowWriter {
    path: PathBuf,
    writer: ArrowWriter<File>,
    schema: SchemaRef,
    rows: Vec<Row>,
    /// Encoded pictures of each camera, as long as `rows`.
    pictures: Vec<Vec<Vec<u8>>>,
}

impl RowWriter {
    /// Begins a file. `image_keys` are the cameras whose pictures it holds.
    pub(super) fn create(path: &Path, image_keys: &[String]) -> Result<Self, EpisodeError> {
        let schema = Arc::new(schema(image_keys));
        let file = File::create(path).map_err(|source| EpisodeError::write(path, source))?;
        let writer = parquet_file::writer(path, file, Arc::clone(&schema))?;
        let pictures = vec![Vec::new(); image_keys.len()];
        Ok(Self { path: path.to_path_buf(), writer, schema, rows: Vec::new(), pictures })
    }

    /// Adds a row with its encoded pictures, in the order of `image_keys`.
    pub(super) fn add(&mut self, row: Row, pictures: Vec<Vec<u8>>) -> Result<(), EpisodeError> {
        self.rows.push(row);
        for (column, picture) in self.pictures.iter_mut().zip(pictures) {
            column.push(picture);
        }
        if self.rows.len() < BATCH_ROWS {
            return Ok(());
        }
        self.write_batch()?;
        if self.writer.in_progress_size() > ROW_GROUP_BYTES {
            self.writer.flush().map_err(|error| parquet_file::failed(&self.path, &error))?;
        }
        Ok(())
    }

    /// Ends the file; it is on the disk when this returns.
    pub(super) fn finish(mut self) -> Result<(), EpisodeError> {
        if !self.rows.is_empty() {
            self.write_batch()?;
        }
        parquet_file::finish(&self.path, self.writer)
    }

    fn write_batch(&mut self) -> Result<(), EpisodeError> {
        let rows = std::mem::take(&mut self.rows);
        let mut columns: Vec<ArrayRef> = vec![
            vectors(rows.iter().flat_map(|row| row.state).collect()),
            vectors(rows.iter().flat_map(|row| row.action).collect()),
        ];
        let fields = image_fields();
        for column in &mut self.pictures {
            let (mut bytes, mut paths) = (BinaryBuilder::new(), StringBuilder::new());
            for (row, picture) in rows.iter().zip(column.drain(..)) {
                bytes.append_value(&picture);
                paths.append_value(format!("frame-{:06}.png", row.frame));
            }
            let both: Vec<ArrayRef> = vec![Arc::new(bytes.finish()), Arc::new(paths.finish())];
            columns.push(Arc::new(StructArray::new(fields.clone(), both, None)));
        }
        columns.push(Arc::new(Float32Array::from_iter_values(rows.iter().map(|row| row.timestamp))));
        let integers = |of: fn(&Row) -> usize| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| of(row) as i64)))
        };
        columns.push(integers(|row| row.frame));
        columns.push(integers(|row| row.episode));
        columns.push(integers(|row| row.index));
        columns.push(integers(|row| row.task));
        let failed = |problem: String| EpisodeError::write(&self.path, std::io::Error::other(problem));
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(|error| failed(error.to_string()))?;
        self.writer.write(&batch).map_err(|error| parquet_file::failed(&self.path, &error))
    }
}

fn vectors(values: Vec<f32>) -> ArrayRef {
    let values = Arc::new(Float32Array::from(values));
    Arc::new(FixedSizeListArray::new(element(), JOINT_COUNT as i32, values, None))
}

fn element() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Float32, true))
}

fn image_fields() -> Fields {
    Fields::from(vec![Field::new("bytes", DataType::Binary, true), Field::new("path", DataType::Utf8, true)])
}

/// The columns in LeRobot's order, with the note by which the `datasets` library knows pictures as pictures.
fn schema(image_keys: &[String]) -> Schema {
    let joints = DataType::FixedSizeList(element(), JOINT_COUNT as i32);
    let mut fields =
        vec![Field::new("observation.state", joints.clone(), true), Field::new("action", joints, true)];
    let list =
        json!({"feature": {"dtype": "float32", "_type": "Value"}, "length": JOINT_COUNT, "_type": "List"});
    let mut features = serde_json::Map::new();
    features.insert("observation.state".to_owned(), list.clone());
    features.insert("action".to_owned(), list);
    for key in image_keys {
        fields.push(Field::new(key, DataType::Struct(image_fields()), true));
        features.insert(key.clone(), json!({"_type": "Image"}));
    }
    fields.push(Field::new("timestamp", DataType::Float32, true));
    features.insert("timestamp".to_owned(), json!({"dtype": "float32", "_type": "Value"}));
    for name in ["frame_index", "episode_index", "index", "task_index"] {
        fields.push(Field::new(name, DataType::Int64, true));
        features.insert(name.to_owned(), json!({"dtype": "int64", "_type": "Value"}));
    }
    let note = json!({"info": {"features": Value::Object(features)}}).to_string();
    Schema::new_with_metadata(fields, HashMap::from([("huggingface".to_owned(), note)]))
}
