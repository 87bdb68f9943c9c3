//! Parquet files as LeRobot writes them: snappy, with dictionaries.

use std::fs::File;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::episode::EpisodeError;

pub(super) fn failed(path: &Path, error: &ParquetError) -> EpisodeError {
    EpisodeError::write(path, std::io::Error::other(error.to_string()))
}

pub(super) fn writer(path: &Path, file: File, schema: SchemaRef) -> Result<ArrowWriter<File>, EpisodeError> {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    ArrowWriter::try_new(file, schema, Some(properties)).map_err(|error| failed(path, &error))
}

/// Writes the footer; the file is on the disk when this returns.
pub(super) fn finish(path: &Path, writer: ArrowWriter<File>) -> Result<(), EpisodeError> {
    let file = writer.into_inner().map_err(|error| failed(path, &error))?;
    file.sync_all().map_err(|source| EpisodeError::write(path, source))
}

/// Writes a whole file of one table.
pub(super) fn write(path: &Path, batch: &RecordBatch) -> Result<(), EpisodeError> {
    let file = File::create(path).map_err(|source| EpisodeError::write(path, source))?;
    let mut writer = writer(path, file, batch.schema())?;
    writer.write(batch).map_err(|error| failed(path, &error))?;
    finish(path, writer)
}
