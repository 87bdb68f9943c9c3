//! Columns of a parquet file as plain vectors, each type and null checked.

use std::ops::Range;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use parquet::arrow::ProjectionMask;

use super::EpisodeError;
use super::parquet_file::{ParquetFile, or_damaged};
use crate::types::JOINT_COUNT;

/// Some columns and rows of a parquet file, in memory.
pub(super) struct Table {
    path: PathBuf,
    batches: Vec<RecordBatch>,
    rows: usize,
}

impl Table {
    /// Reads the top-level columns that `wanted` accepts, and of `rows` only those (all without it).
    pub(super) fn read(
        path: &Path,
        wanted: impl Fn(&str) -> bool,
        rows: Option<Range<usize>>,
    ) -> Result<Self, EpisodeError> {
        let file = ParquetFile::open(path)?;
        let in_file = file.rows();
        let mask = ProjectionMask::roots(file.schema(), file.columns(wanted));
        let mut builder = file.reader()?.with_projection(mask);
        if let Some(rows) = rows {
            if rows.end > in_file {
                return Err(EpisodeError::damaged(
                    path,
                    format!(
                        "it has {in_file} rows, but meta/episodes places rows {} to {} in it",
                        rows.start, rows.end
                    ),
                ));
            }
            builder = builder.with_offset(rows.start).with_limit(rows.len());
        }
        let batches: Vec<RecordBatch> =
            or_damaged(path, || builder.build()?.collect::<Result<_, ArrowError>>())?;
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        Ok(Self { path: path.to_path_buf(), batches, rows })
    }

    /// Number of rows that were read.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Names of the columns that were read.
    pub(super) fn columns(&self) -> Vec<String> {
        let fields = self.batches.first().map(|batch| batch.schema().fields().clone()).unwrap_or_default();
        fields.iter().map(|field| field.name().clone()).collect()
    }

    /// A column of whole numbers.
    pub(super) fn integers(&self, name: &str) -> Result<Vec<i64>, EpisodeError> {
        self.collect(name, "whole numbers", |array| {
            if let Some(values) = array.as_primitive_opt::<Int64Type>() {
                return Some(values.values().to_vec());
            }
            array
                .as_primitive_opt::<Int32Type>()
                .map(|values| values.values().iter().map(|v| i64::from(*v)).collect())
        })
    }

    /// A column of whole numbers that count or index something: none is negative.
    pub(super) fn indices(&self, name: &str) -> Result<Vec<usize>, EpisodeError> {
        let to_index = |(row, value): (usize, i64)| {
            usize::try_from(value).map_err(|_| {
                EpisodeError::damaged(
                    &self.path,
                    format!("column `{name}` holds {value} in row {row}: below zero"),
                )
            })
        };
        self.integers(name)?.into_iter().enumerate().map(to_index).collect()
    }

    /// A column of finite numbers.
    pub(super) fn numbers(&self, name: &str) -> Result<Vec<f64>, EpisodeError> {
        let numbers = self.collect(name, "numbers", floats)?;
        self.check_finite(name, numbers.iter().copied(), 1)?;
        Ok(numbers)
    }

    /// A column of texts.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, EpisodeError> {
        self.collect(name, "texts", |array| strings(array)?.into_iter().collect())
    }

    /// A column of vectors of one finite number a joint. Writers store them as lists of fixed or of free size.
    pub(super) fn joint_vectors(&self, name: &str) -> Result<Vec<[f64; JOINT_COUNT]>, EpisodeError> {
        let vectors = self.collect(name, "vectors of 6 numbers", |array| {
            let joints = |row: Option<ArrayRef>| {
                let row = row.filter(|row| row.null_count() == 0)?;
                floats(&row).and_then(|row| row.try_into().ok())
            };
            list_rows(array)?.into_iter().map(joints).collect()
        })?;
        self.check_finite(name, vectors.as_flattened().iter().copied(), JOINT_COUNT)?;
        Ok(vectors)
    }

    /// A column of whole numbers as it stands, `None` where it holds none.
    pub(super) fn raw_integers(&self, name: &str) -> Result<Vec<Option<i64>>, EpisodeError> {
        self.collect_nullable(name, "whole numbers", |array| {
            if let Some(values) = array.as_primitive_opt::<Int64Type>() {
                return Some(values.iter().collect());
            }
            array
                .as_primitive_opt::<Int32Type>()
                .map(|values| values.iter().map(|v| v.map(i64::from)).collect())
        })
    }

    /// A column of numbers as it stands: NaN where it holds none.
    pub(super) fn raw_numbers(&self, name: &str) -> Result<Vec<f64>, EpisodeError> {
        self.collect_nullable(name, "numbers", nullable_floats)
    }

    /// A column of joint vectors as it stands.
    pub(super) fn raw_joint_vectors(&self, name: &str) -> Result<JointRows, EpisodeError> {
        let rows = self.collect_nullable(name, "vectors of numbers", |array| {
            list_rows(array)?
                .into_iter()
                .map(|row| row.map_or(Some(Vec::new()), |row| nullable_floats(&row)))
                .collect()
        })?;
        let mut found = JointRows { values: Vec::with_capacity(rows.len()), other_lengths: Vec::new() };
        for (place, row) in rows.into_iter().enumerate() {
            let values = <[f64; JOINT_COUNT]>::try_from(row).unwrap_or_else(|row: Vec<f64>| {
                found.other_lengths.push((place, row.len()));
                [f64::NAN; JOINT_COUNT]
            });
            found.values.push(values);
        }
        Ok(found)
    }

    /// A column of lists of texts.
    pub(super) fn text_lists(&self, name: &str) -> Result<Vec<Vec<String>>, EpisodeError> {
        self.collect_nullable(name, "lists of texts", |array| {
            let texts = |row: Option<ArrayRef>| match row {
                Some(row) => strings(&row).map(|texts| texts.into_iter().flatten().collect()),
                None => Some(Vec::new()),
            };
            list_rows(array)?.into_iter().map(texts).collect()
        })
    }

    fn check_finite(
        &self,
        name: &str,
        mut values: impl Iterator<Item = f64>,
        a_row: usize,
    ) -> Result<(), EpisodeError> {
        match values.position(|value| !value.is_finite()) {
            Some(place) => Err(EpisodeError::damaged(
                &self.path,
                format!("column `{name}` holds a value that is no finite number in row {}", place / a_row),
            )),
            None => Ok(()),
        }
    }

    fn collect<T>(
        &self,
        name: &str,
        expected: &str,
        convert: impl Fn(&ArrayRef) -> Option<Vec<T>>,
    ) -> Result<Vec<T>, EpisodeError> {
        let without_nulls = |array: &ArrayRef| if array.null_count() > 0 { None } else { convert(array) };
        self.collect_nullable(name, &format!("{expected} without nulls"), without_nulls)
    }

    fn collect_nullable<T>(
        &self,
        name: &str,
        expected: &str,
        convert: impl Fn(&ArrayRef) -> Option<Vec<T>>,
    ) -> Result<Vec<T>, EpisodeError> {
        let mut all = Vec::with_capacity(self.rows);
        for batch in &self.batches {
            let array = batch.column_by_name(name).ok_or_else(|| {
                EpisodeError::damaged(
                    &self.path,
                    format!("it has no column `{name}` (it has {:?})", self.columns()),
                )
            })?;
            all.extend(convert(array).ok_or_else(|| {
                EpisodeError::damaged(
                    &self.path,
                    format!("column `{name}` is {}, expected {expected}", array.data_type()),
                )
            })?);
        }
        Ok(all)
    }
}

/// A column of joint vectors as it stands.
pub(super) struct JointRows {
    /// NaN where a number, or the right count of them, is missing.
    pub(super) values: Vec<[f64; JOINT_COUNT]>,
    /// Rows with another count of numbers, and the count.
    pub(super) other_lengths: Vec<(usize, usize)>,
}

/// The rows of a list column, `None` where there is none.
fn list_rows(array: &ArrayRef) -> Option<Vec<Option<ArrayRef>>> {
    Some(if let Some(list) = array.as_fixed_size_list_opt() {
        list.iter().collect()
    } else if let Some(list) = array.as_list_opt::<i32>() {
        list.iter().collect()
    } else {
        array.as_list_opt::<i64>()?.iter().collect()
    })
}

fn strings(array: &ArrayRef) -> Option<Vec<Option<String>>> {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Some(if let Some(texts) = array.as_string_opt::<i32>() {
        texts.iter().map(owned).collect()
    } else if let Some(texts) = array.as_string_opt::<i64>() {
        texts.iter().map(owned).collect()
    } else {
        array.as_string_view_opt()?.iter().map(owned).collect()
    })
}

fn nullable_floats(array: &ArrayRef) -> Option<Vec<f64>> {
    if let Some(values) = array.as_primitive_opt::<Float32Type>() {
        return Some(values.iter().map(|value| value.map_or(f64::NAN, f64::from)).collect());
    }
    let values = array.as_primitive_opt::<Float64Type>()?;
    Some(values.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}

fn floats(array: &ArrayRef) -> Option<Vec<f64>> {
    if let Some(values) = array.as_primitive_opt::<Float32Type>() {
        return Some(values.values().iter().map(|value| f64::from(*value)).collect());
    }
    array.as_primitive_opt::<Float64Type>().map(|values| values.values().to_vec())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs::File;
    use std::sync::Arc;

    use arrow_array::{
        FixedSizeListArray, Float32Array, Int64Array, LargeListArray, LargeStringArray, ListArray,
        StringArray,
    };
    use arrow_schema::{DataType, Field, Schema};
    use parquet::arrow::ArrowWriter;

    use super::*;

    fn table(columns: Vec<(&str, ArrayRef)>) -> Table {
        let fields: Vec<Field> =
            columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made.parquet");
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        Table::read(&path, |_| true, None).unwrap()
    }

    fn rows(values: [f32; 12]) -> Vec<Option<Vec<Option<f32>>>> {
        values.chunks(6).map(|row| Some(row.iter().map(|value| Some(*value)).collect())).collect()
    }

    #[test]
    fn every_writers_list_and_text_type_is_read() {
        let values = [0.5, 1.0, 2.0, 3.0, 4.0, 5.0, -1.0, -2.0, -3.0, -4.0, -5.0, -6.0];
        let read = table(vec![
            (
                "fixed",
                Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows(values), 6)),
            ),
            ("list", Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows(values)))),
            ("large", Arc::new(LargeListArray::from_iter_primitive::<Float32Type, _, _>(rows(values)))),
            ("utf8", Arc::new(StringArray::from(vec!["a", "b"]))),
            ("large_utf8", Arc::new(LargeStringArray::from(vec!["a", "b"]))),
        ]);
        let expected = [[0.5, 1.0, 2.0, 3.0, 4.0, 5.0], [-1.0, -2.0, -3.0, -4.0, -5.0, -6.0]];
        for name in ["fixed", "list", "large"] {
            assert_eq!(read.joint_vectors(name).unwrap(), expected, "{name}");
        }
        assert_eq!(read.texts("utf8").unwrap(), ["a", "b"]);
        assert_eq!(read.texts("large_utf8").unwrap(), ["a", "b"]);
    }

    #[test]
    fn faults_name_column_and_row() {
        let mut bad = [0.0_f32; 12];
        bad[7] = f32::NAN;
        let short = vec![Some(vec![Some(1.0_f32); 5]), Some(vec![Some(1.0); 6])];
        let read = table(vec![
            ("nan", Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows(bad)))),
            ("short", Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(short))),
            ("null", Arc::new(Int64Array::from(vec![Some(1), None]))),
            ("negative", Arc::new(Int64Array::from(vec![1, -1]))),
            ("infinite", Arc::new(Float32Array::from(vec![f32::INFINITY, 0.0]))),
        ]);
        let nan = read.joint_vectors("nan").unwrap_err().to_string();
        assert!(nan.contains("`nan`") && nan.contains("row 1") && nan.contains("made.parquet"), "{nan}");
        assert!(read.joint_vectors("short").unwrap_err().to_string().contains("vectors of 6"));
        assert!(read.integers("null").unwrap_err().to_string().contains("without nulls"));
        assert!(read.indices("negative").unwrap_err().to_string().contains("-1 in row 1"));
        assert!(read.numbers("infinite").unwrap_err().to_string().contains("no finite number in row 0"));
        assert!(read.integers("gone").unwrap_err().to_string().contains("no column `gone`"));
        assert_eq!(DataType::Int64, *read.batches[0].column_by_name("null").unwrap().data_type());
    }
}
