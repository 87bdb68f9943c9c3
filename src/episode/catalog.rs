//! `meta/episodes`: where each episode's rows and pictures are, in layout v3.0.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::EpisodeError;
use super::columns::Table;
use super::info::{DatasetInfo, PictureStorage};

const EPISODES: &str = "meta/episodes";

/// One episode's places.
#[derive(Clone, Debug)]
pub(super) struct EpisodeRecord {
    /// Frames.
    pub(super) length: usize,
    /// The value of column `index` in its first row.
    pub(super) first_index: usize,
    /// Chunk and file of its rows.
    pub(super) data_file: (u64, u64),
    /// Its rows in that file.
    pub(super) data_rows: Range<usize>,
    /// In the order of the dataset's cameras; `None` for a camera without video.
    pub(super) videos: Vec<Option<VideoPlace>>,
}

/// An episode's place in one camera's videos.
#[derive(Clone, Copy, Debug)]
pub(super) struct VideoPlace {
    /// Chunk and file.
    pub(super) file: (u64, u64),
    /// Where it begins in the file, seconds.
    pub(super) from_timestamp: f64,
}

/// Reads all episodes, in order, and checks that they fill the dataset without gap.
pub(super) fn read(root: &Path, info: &DatasetInfo) -> Result<Vec<EpisodeRecord>, EpisodeError> {
    let mut records = Vec::new();
    // Data files hold whole episodes one after another, so an episode's first row is the number of rows before it there.
    let mut rows_in_file: HashMap<(u64, u64), usize> = HashMap::new();
    for path in episode_files(root)? {
        read_file(&path, info, &mut records, &mut rows_in_file)?;
    }
    check_totals(root, info, &records, EPISODES)?;
    Ok(records)
}

/// Compares the episodes that are listed in `list` with the counts of `meta/info.json`.
pub(super) fn check_totals(
    root: &Path,
    info: &DatasetInfo,
    records: &[EpisodeRecord],
    list: &str,
) -> Result<(), EpisodeError> {
    let info_path = root.join("meta/info.json");
    if records.len() != info.total_episodes {
        let problem = format!("total_episodes is {}, but {list} has {}", info.total_episodes, records.len());
        return Err(EpisodeError::damaged(&info_path, problem));
    }
    let frames: usize = records.iter().map(|record| record.length).sum();
    if frames != info.total_frames {
        let problem =
            format!("total_frames is {}, but the episodes have {frames} together", info.total_frames);
        return Err(EpisodeError::damaged(&info_path, problem));
    }
    Ok(())
}

/// The files `chunk-*/file-*.parquet`, in the order of their numbers.
pub(super) fn episode_files(root: &Path) -> Result<Vec<PathBuf>, EpisodeError> {
    let folder = root.join(EPISODES);
    let mut files = Vec::new();
    for chunk in sorted_entries(&folder)? {
        if chunk.is_dir() {
            files.extend(
                sorted_entries(&chunk)?
                    .into_iter()
                    .filter(|file| file.extension().is_some_and(|e| e == "parquet")),
            );
        }
    }
    if files.is_empty() {
        Err(EpisodeError::Missing { path: folder.join("chunk-000/file-000.parquet") })
    } else {
        Ok(files)
    }
}

fn sorted_entries(folder: &Path) -> Result<Vec<PathBuf>, EpisodeError> {
    let entries = std::fs::read_dir(folder).map_err(|source| EpisodeError::read(folder, source))?;
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| EpisodeError::read(folder, source))?;
        // A symbolic link may lead out of the dataset.
        if !entry.file_type().map_err(|source| EpisodeError::read(folder, source))?.is_symlink() {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn read_file(
    path: &Path,
    info: &DatasetInfo,
    records: &mut Vec<EpisodeRecord>,
    rows_in_file: &mut HashMap<(u64, u64), usize>,
) -> Result<(), EpisodeError> {
    let table = Table::read(path, |column| !column.starts_with("stats/"), None)?;
    let episodes = table.indices("episode_index")?;
    let lengths = table.indices("length")?;
    let from = table.indices("dataset_from_index")?;
    let to = table.indices("dataset_to_index")?;
    let data_files = file_numbers(&table, "data")?;
    let mut videos = Vec::new();
    for camera in &info.cameras {
        videos.push(match camera.storage {
            PictureStorage::Images => None,
            PictureStorage::Video => {
                let prefix = format!("videos/{}", camera.key);
                let files = file_numbers(&table, &prefix)?;
                Some((files, table.numbers(&format!("{prefix}/from_timestamp"))?))
            }
        });
    }
    for row in 0..table.rows() {
        let number = records.len();
        let damaged = |problem: String| EpisodeError::damaged(path, problem);
        if episodes[row] != number {
            return Err(damaged(format!("row {row} is episode {}, expected {number}", episodes[row])));
        }
        let expected_from = records.last().map_or(0, |last| last.first_index + last.length);
        if from[row] != expected_from {
            let problem = format!(
                "episode {number} begins at index {}, expected {expected_from}: frames are missing or doubled",
                from[row]
            );
            return Err(damaged(problem));
        }
        if lengths[row] == 0 || to[row].checked_sub(from[row]) != Some(lengths[row]) {
            let problem = format!(
                "episode {number} has length {}, but indices {} to {}",
                lengths[row], from[row], to[row]
            );
            return Err(damaged(problem));
        }
        let before = rows_in_file.entry(data_files[row]).or_default();
        let data_rows = *before..before.saturating_add(lengths[row]);
        *before = data_rows.end;
        let places = videos
            .iter()
            .map(|video| {
                let (files, from) = video.as_ref()?;
                Some(VideoPlace { file: files[row], from_timestamp: from[row] })
            })
            .collect();
        records.push(EpisodeRecord {
            length: lengths[row],
            first_index: from[row],
            data_file: data_files[row],
            data_rows,
            videos: places,
        });
    }
    Ok(())
}

pub(super) fn file_numbers(table: &Table, prefix: &str) -> Result<Vec<(u64, u64)>, EpisodeError> {
    let chunks = table.indices(&format!("{prefix}/chunk_index"))?;
    let files = table.indices(&format!("{prefix}/file_index"))?;
    Ok(chunks.into_iter().zip(files).map(|(chunk, file)| (chunk as u64, file as u64)).collect())
}
