//! Parquet files from outside: opened, checked and read so that nothing in them makes the library panic.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::schema::types::SchemaDescriptor;

use super::EpisodeError;
use crate::types::without_panic;

/// An open parquet file whose footer points into the file itself.
pub(super) struct ParquetFile {
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
}

impl ParquetFile {
    /// Reads the footer and checks it.
    pub(super) fn open(path: &Path) -> Result<Self, EpisodeError> {
        let file = File::open(path).map_err(|source| EpisodeError::read(path, source))?;
        let length = file.metadata().map_err(|source| EpisodeError::read(path, source))?.len();
        let metadata = or_damaged(path, || ArrowReaderMetadata::load(&file, Default::default()))?;
        check_places(metadata.metadata(), length).map_err(|problem| unreadable(path, &problem))?;
        Ok(Self { path: path.to_path_buf(), file, metadata })
    }

    /// Number of rows.
    pub(super) fn rows(&self) -> usize {
        usize::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// Names and types of the top-level columns.
    pub(super) fn schema(&self) -> &SchemaDescriptor {
        self.metadata.parquet_schema()
    }

    /// Places of the top-level columns whose name `wanted` accepts.
    pub(super) fn columns(&self, wanted: impl Fn(&str) -> bool) -> Vec<usize> {
        let fields = self.schema().root_schema().get_fields();
        (0..fields.len()).filter(|column| wanted(fields[*column].name())).collect()
    }

    /// A reader to be narrowed to rows and columns. What it yields is read within [`or_damaged`].
    pub(super) fn reader(&self) -> Result<ParquetRecordBatchReaderBuilder<File>, EpisodeError> {
        let file = self.file.try_clone().map_err(|source| EpisodeError::read(&self.path, source))?;
        Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone()))
    }
}

/// A call of the library on the file at `path`: its errors, and where it gives up on a value that it took unchecked its panics, say
/// that the file is damaged.
pub(super) fn or_damaged<T, E: std::fmt::Display>(
    path: &Path,
    call: impl FnOnce() -> Result<T, E>,
) -> Result<T, EpisodeError> {
    match without_panic(call) {
        Some(Ok(done)) => Ok(done),
        Some(Err(error)) => Err(unreadable(path, &error.to_string())),
        None => Err(unreadable(path, "the parquet library gave up on it")),
    }
}

fn unreadable(path: &Path, problem: &str) -> EpisodeError {
    EpisodeError::damaged(path, format!("not readable as parquet ({problem})"))
}

/// Whether all row groups count their rows and lie within a file of `length` bytes: parquet 60 takes that from the footer unchecked,
/// and panics or asks for as much memory as the footer says.
fn check_places(metadata: &ParquetMetaData, length: u64) -> Result<(), String> {
    let total = metadata.file_metadata().num_rows();
    let mut counted = 0_i64;
    for (number, group) in metadata.row_groups().iter().enumerate() {
        let rows = group.num_rows();
        counted = counted
            .checked_add(rows)
            .filter(|_| rows >= 0)
            .ok_or_else(|| format!("row group {number} says it has {rows} rows"))?;
        for column in group.columns() {
            if !lies_within(column, length) {
                let name = column.column_path().string();
                return Err(format!(
                    "row group {number} places column `{name}` outside the file's {length} bytes"
                ));
            }
        }
    }
    if counted == total { Ok(()) } else { Err(format!("its footer says {total} rows, its groups {counted}")) }
}

fn lies_within(column: &ColumnChunkMetaData, length: u64) -> bool {
    let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    let (Ok(start), Ok(data), Ok(size)) = (
        u64::try_from(start),
        u64::try_from(column.data_page_offset()),
        u64::try_from(column.compressed_size()),
    ) else {
        return false;
    };
    data <= length && start.checked_add(size).is_some_and(|end| end <= length)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, RecordBatch};
    use parquet::arrow::ArrowWriter;
    use parquet::file::metadata::{FileMetaData, RowGroupMetaData};

    use super::*;

    /// The footer of a file of three rows.
    fn footer() -> (ParquetMetaData, u64) {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let batch = RecordBatch::try_from_iter([("index", column)]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made.parquet");
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let file = ParquetFile::open(&path).unwrap();
        assert_eq!((file.rows(), file.columns(|name| name == "index")), (3, vec![0]));
        let metadata = ParquetMetaData::clone(file.metadata.metadata());
        (metadata, std::fs::metadata(&path).unwrap().len())
    }

    /// The same footer, its only column chunk changed.
    fn with_column(
        footer: &ParquetMetaData,
        change: impl FnOnce(
            parquet::file::metadata::ColumnChunkMetaDataBuilder,
        ) -> parquet::file::metadata::ColumnChunkMetaDataBuilder,
    ) -> ParquetMetaData {
        let group = footer.row_group(0);
        let column = change(group.column(0).clone().into_builder()).build().unwrap();
        let group = group.clone().into_builder().set_column_metadata(vec![column]).build().unwrap();
        ParquetMetaData::new(footer.file_metadata().clone(), vec![group])
    }

    fn with_rows(footer: &ParquetMetaData, in_group: i64, in_footer: i64) -> ParquetMetaData {
        let group: RowGroupMetaData =
            footer.row_group(0).clone().into_builder().set_num_rows(in_group).build().unwrap();
        let told = footer.file_metadata();
        let told = FileMetaData::new(
            told.version(),
            in_footer,
            None,
            None,
            told.schema_descr_ptr(),
            told.column_orders().cloned(),
        );
        ParquetMetaData::new(told, vec![group])
    }

    #[test]
    fn a_column_outside_the_file_is_found() {
        let (footer, length) = footer();
        assert_eq!(check_places(&footer, length), Ok(()));
        let beyond = i64::try_from(length).unwrap() + 1;
        for damaged in [
            with_column(&footer, |column| column.set_total_compressed_size(-1)),
            with_column(&footer, |column| column.set_total_compressed_size(i64::MAX)),
            with_column(&footer, |column| column.set_data_page_offset(-4)),
            with_column(&footer, |column| column.set_data_page_offset(beyond)),
            with_column(&footer, |column| column.set_dictionary_page_offset(Some(-4))),
            with_column(&footer, |column| column.set_dictionary_page_offset(Some(i64::MAX))),
        ] {
            let problem = check_places(&damaged, length).unwrap_err();
            assert!(problem.contains("`index`") && problem.contains("outside"), "{problem}");
        }
    }

    #[test]
    fn rows_that_do_not_add_up_are_found() {
        let (footer, length) = footer();
        assert_eq!(check_places(&with_rows(&footer, 3, 3), length), Ok(()));
        for (in_group, in_footer, said) in
            [(-3, -3, "says it has -3 rows"), (3, 4, "footer says 4"), (4, 3, "groups 4")]
        {
            let problem = check_places(&with_rows(&footer, in_group, in_footer), length).unwrap_err();
            assert!(problem.contains(said), "{problem}");
        }
    }

    #[test]
    fn a_panic_of_the_library_is_an_error_that_names_the_file() {
        let path = Path::new("data/file-000.parquet");
        let error = or_damaged(path, || -> Result<(), String> { panic!("it gave up") }).unwrap_err();
        let said = error.to_string();
        assert!(said.contains("file-000.parquet") && said.contains("gave up"), "{said}");
    }
}
