//! Pictures that a data file holds: a column of encoded images.

use std::ops::Range;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StructArray};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use super::parquet_file::ParquetFile;
use super::path_template;
use super::{CameraInfo, EpisodeError};
use crate::types::without_panic;

/// Rows that are read at once: a few, since each holds a whole picture.
const BATCH_ROWS: usize = 8;

const GAVE_UP: &str = "cannot be read: the parquet library gave up on it";

/// The pictures of one episode in one column, `struct<bytes, path>` with PNG or JPEG inside (or beside the data files, at `path`).
///
/// Reading in order reads the file once; any other order begins anew at the row that is asked for.
pub(super) struct ImageReader {
    path: PathBuf,
    root: PathBuf,
    file: ParquetFile,
    camera: CameraInfo,
    /// The episode's rows in the file.
    rows: Range<usize>,
    reader: Option<ParquetRecordBatchReader>,
    /// The row in the file at which `batch` begins.
    batch_start: usize,
    batch: Option<StructArray>,
    /// Bytes that the episode's encoded pictures may take in memory.
    budget: usize,
    /// All of them, once a jump has shown that they are read out of order.
    kept: Option<Vec<Vec<u8>>>,
}

impl ImageReader {
    /// Opens the data file at `path`; `root` is the dataset's folder, canonical.
    pub(super) fn open(
        path: &Path,
        root: &Path,
        camera: &CameraInfo,
        rows: Range<usize>,
    ) -> Result<Self, EpisodeError> {
        let file = ParquetFile::open(path)?;
        let in_file = file.rows();
        if rows.end > in_file {
            let problem =
                format!("it has {in_file} rows, but the episode's are rows {} to {}", rows.start, rows.end);
            return Err(EpisodeError::damaged(path, problem));
        }
        if file.columns(|name| name == camera.key).is_empty() {
            return Err(EpisodeError::damaged(path, format!("it has no column `{}`", camera.key)));
        }
        Ok(Self {
            path: path.to_path_buf(),
            root: root.to_path_buf(),
            file,
            camera: camera.clone(),
            rows,
            reader: None,
            batch_start: 0,
            batch: None,
            budget: 0,
            kept: None,
        })
    }

    /// Allows so many bytes of memory for encoded pictures.
    pub(super) fn keep_encoded(&mut self, bytes: usize) {
        self.budget = bytes;
        self.kept = None;
    }

    /// The picture of one frame as RGB rows without padding.
    pub(super) fn read(&mut self, frame: usize, rgb: &mut [u8]) -> Result<(), EpisodeError> {
        let row = self.rows.start.saturating_add(frame);
        if row >= self.rows.end {
            let count = self.rows.len();
            return Err(EpisodeError::NoSuchFrame { path: self.path.clone(), frame, count });
        }
        if let Some(encoded) = self.kept.as_ref().and_then(|kept| kept.get(frame)) {
            return self.decode(row, encoded, rgb);
        }
        if self.jumps_to(row) && self.reader.is_some() && self.budget > 0 {
            self.keep_all()?;
            return self.read(frame, rgb);
        }
        let encoded = self.encoded(row)?;
        self.decode(row, &encoded, rgb)
    }

    /// Reads all encoded pictures of the episode into memory, if they fit; else none.
    fn keep_all(&mut self) -> Result<(), EpisodeError> {
        let (mut kept, mut bytes) = (Vec::with_capacity(self.rows.len()), 0);
        for row in self.rows.clone() {
            let encoded = self.encoded(row)?;
            bytes += encoded.len();
            if bytes > self.budget {
                self.budget = 0;
                return Ok(());
            }
            kept.push(encoded);
        }
        self.kept = Some(kept);
        Ok(())
    }

    /// Whether a row is not among those that are read next.
    fn jumps_to(&self, row: usize) -> bool {
        let ahead = self.batch.as_ref().map_or(0, Array::len);
        row < self.batch_start || self.reader.is_none() || row >= self.batch_start + ahead + BATCH_ROWS
    }

    /// The encoded picture of a row of the file.
    pub(super) fn encoded(&mut self, row: usize) -> Result<Vec<u8>, EpisodeError> {
        if self.jumps_to(row) {
            self.start_at(row)?;
        }
        while self.batch.as_ref().is_none_or(|batch| row >= self.batch_start + batch.len()) {
            self.next_batch(row)?;
        }
        // The loop above ends only with a batch that holds the row.
        let Some(batch) = &self.batch else { return Err(self.damaged(row, "no row")) };
        let place = row - self.batch_start;
        if let Some(bytes) = batch.column_by_name("bytes").and_then(|column| binary(column, place)) {
            return Ok(bytes);
        }
        let Some(relative) = batch.column_by_name("path").and_then(|column| text(column, place)) else {
            return Err(self.damaged(row, "holds neither the picture's bytes nor its path"));
        };
        let beside = path_template::inside(&self.root, &relative, &self.path)?;
        std::fs::read(&beside).map_err(|source| EpisodeError::read(&beside, source))
    }

    fn start_at(&mut self, row: usize) -> Result<(), EpisodeError> {
        let columns = self.file.columns(|name| name == self.camera.key);
        let builder = self
            .file
            .reader()?
            .with_projection(ProjectionMask::roots(self.file.schema(), columns))
            .with_batch_size(BATCH_ROWS)
            .with_offset(row)
            .with_limit(self.rows.end - row);
        let reader = without_panic(|| builder.build())
            .ok_or_else(|| self.damaged(row, GAVE_UP))?
            .map_err(|error| self.damaged(row, &error.to_string()))?;
        (self.reader, self.batch, self.batch_start) = (Some(reader), None, row);
        Ok(())
    }

    fn next_batch(&mut self, row: usize) -> Result<(), EpisodeError> {
        let reader = &mut self.reader;
        let next = without_panic(|| reader.as_mut().and_then(Iterator::next));
        let batch = match next.ok_or_else(|| self.damaged(row, GAVE_UP))? {
            Some(Ok(batch)) if batch.num_rows() > 0 => batch,
            Some(Err(error)) => return Err(self.damaged(row, &error.to_string())),
            _ => return Err(self.damaged(row, "cannot be read: the file ends before it")),
        };
        let column = batch.column_by_name(&self.camera.key).and_then(|column| column.as_struct_opt());
        let Some(column) = column else {
            return Err(self.damaged(row, "is no struct of bytes and path"));
        };
        self.batch_start += self.batch.as_ref().map_or(0, Array::len);
        self.batch = Some(column.clone());
        Ok(())
    }

    fn decode(&self, row: usize, encoded: &[u8], rgb: &mut [u8]) -> Result<(), EpisodeError> {
        let mut reader = image::ImageReader::new(std::io::Cursor::new(encoded));
        // No more than a picture of either orientation takes; a wrong size is told below.
        let mut limits = image::Limits::default();
        let side = self.camera.width.max(self.camera.height);
        (limits.max_image_width, limits.max_image_height) = (Some(side), Some(side));
        reader.limits(limits);
        let reader = reader.with_guessed_format().map_err(|error| self.damaged(row, &error.to_string()))?;
        let picture = reader.decode().map_err(|error| self.damaged(row, &error.to_string()))?.into_rgb8();
        let (found, stated) = (picture.dimensions(), (self.camera.width, self.camera.height));
        if found != stated || picture.as_raw().len() != rgb.len() {
            let ((w, h), (stated_w, stated_h)) = (found, stated);
            let problem = format!("is {w}x{h}, meta/info.json says {stated_w}x{stated_h}");
            return Err(self.damaged(row, &problem));
        }
        rgb.copy_from_slice(picture.as_raw());
        Ok(())
    }

    fn damaged(&self, row: usize, problem: &str) -> EpisodeError {
        EpisodeError::damaged(&self.path, format!("picture `{}` in row {row}: {problem}", self.camera.key))
    }
}

fn binary(column: &ArrayRef, place: usize) -> Option<Vec<u8>> {
    if column.is_null(place) {
        return None;
    }
    if let Some(bytes) = column.as_binary_opt::<i32>() {
        return Some(bytes.value(place).to_vec());
    }
    if let Some(bytes) = column.as_binary_opt::<i64>() {
        return Some(bytes.value(place).to_vec());
    }
    Some(column.as_binary_view_opt()?.value(place).to_vec())
}

fn text(column: &ArrayRef, place: usize) -> Option<String> {
    if column.is_null(place) {
        return None;
    }
    if let Some(texts) = column.as_string_opt::<i32>() {
        return Some(texts.value(place).to_owned());
    }
    if let Some(texts) = column.as_string_opt::<i64>() {
        return Some(texts.value(place).to_owned());
    }
    Some(column.as_string_view_opt()?.value(place).to_owned())
}
