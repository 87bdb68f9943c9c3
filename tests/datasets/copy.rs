//! A copy of a dataset that a test may damage.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, FixedSizeListArray, Float32Array, Float64Array, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

pub(crate) const INFO: &str = "meta/info.json";
pub(crate) const TASKS: &str = "meta/tasks.parquet";
pub(crate) const EPISODES: &str = "meta/episodes/chunk-000/file-000.parquet";
pub(crate) const ROWS: &str = "data/chunk-000/file-000.parquet";
pub(crate) const VIDEO: &str = "videos/observation.images.front/chunk-000/file-000.mp4";

/// A folder of `tests/data`.
pub(crate) fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A whole dataset, copied into a folder of its own.
pub(crate) struct Copy {
    folder: tempfile::TempDir,
}

impl Copy {
    pub(crate) fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&data(name), &folder.path().join("set"));
        Self { folder }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("set")
    }

    /// A place beside the dataset.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.root().join(file)
    }

    pub(crate) fn edit_json(&self, file: &str, edit: impl FnOnce(&mut Value)) {
        let path = self.path(file);
        let mut value: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        edit(&mut value);
        fs::write(&path, value.to_string()).unwrap();
    }

    /// Rewrites one column of a parquet file.
    pub(crate) fn edit_column(&self, file: &str, column: &str, edit: impl FnOnce(&ArrayRef) -> ArrayRef) {
        let path = self.path(file);
        let batch = read(&path);
        let place = batch.schema().index_of(column).unwrap();
        let mut columns = batch.columns().to_vec();
        columns[place] = edit(&columns[place]);
        let mut fields = batch.schema().fields().to_vec();
        let changed = fields[place].as_ref().clone().with_data_type(columns[place].data_type().clone());
        fields[place] = Arc::new(changed.with_nullable(true));
        let schema = Arc::new(arrow_schema::Schema::new(fields));
        write(&path, &RecordBatch::try_new(schema, columns).unwrap());
    }

    pub(crate) fn edit_integers(&self, file: &str, column: &str, edit: impl FnOnce(&mut Vec<i64>)) {
        self.edit_column(file, column, |array| {
            let mut values = array.as_primitive::<Int64Type>().values().to_vec();
            edit(&mut values);
            Arc::new(Int64Array::from(values))
        });
    }

    /// Floats of either size; they are written as they were.
    pub(crate) fn edit_numbers(&self, file: &str, column: &str, edit: impl FnOnce(&mut Vec<f64>)) {
        self.edit_column(file, column, |array| {
            if let Some(values) = array.as_primitive_opt::<Float32Type>() {
                let mut values = values.values().iter().map(|value| f64::from(*value)).collect();
                edit(&mut values);
                return Arc::new(Float32Array::from_iter_values(values.iter().map(|value| *value as f32)));
            }
            let mut values = array.as_primitive::<Float64Type>().values().to_vec();
            edit(&mut values);
            Arc::new(Float64Array::from(values))
        });
    }

    pub(crate) fn edit_vectors(&self, file: &str, column: &str, edit: impl FnOnce(&mut Vec<f32>)) {
        self.edit_column(file, column, |array| {
            let list = array.as_fixed_size_list();
            let mut values = list.values().as_primitive::<Float32Type>().values().to_vec();
            edit(&mut values);
            let arrow_schema::DataType::FixedSizeList(field, size) = list.data_type() else {
                panic!("a list")
            };
            Arc::new(FixedSizeListArray::new(
                Arc::clone(field),
                *size,
                Arc::new(Float32Array::from(values)),
                None,
            ))
        });
    }

    /// Keeps the first rows of a parquet file.
    pub(crate) fn cut_rows(&self, file: &str, rows: usize) {
        let path = self.path(file);
        write(&path, &read(&path).slice(0, rows));
    }
}

fn read(path: &Path) -> RecordBatch {
    let file = fs::File::open(path).unwrap();
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_batch_size(1 << 20).build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    assert_eq!(batches.len(), 1, "{} is read in one batch", path.display());
    batches[0].clone()
}

fn write(path: &Path, batch: &RecordBatch) {
    let mut writer = ArrowWriter::try_new(fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
