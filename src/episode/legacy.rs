//! The lists of layouts v2.0 and v2.1: JSON lines in `meta/`, one data file and one video an episode.

use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::EpisodeError;
use super::catalog::{self, EpisodeRecord, VideoPlace};
use super::info::{DatasetInfo, PictureStorage};

/// Episodes and their lengths.
pub(super) const EPISODES: &str = "meta/episodes.jsonl";
/// Task texts.
pub(super) const TASKS: &str = "meta/tasks.jsonl";

/// The longest line that is read, bytes: a list entry takes some hundred.
const MAX_LINE: u64 = 16 << 20;

/// One line of `meta/episodes.jsonl`.
#[derive(Debug, Deserialize)]
pub(super) struct EpisodeLine {
    pub(super) episode_index: usize,
    #[serde(default)]
    pub(super) tasks: Vec<String>,
    pub(super) length: usize,
}

/// One line of `meta/tasks.jsonl`.
#[derive(Debug, Deserialize)]
pub(super) struct TaskLine {
    pub(super) task_index: usize,
    pub(super) task: String,
}

/// Reads all lines of a file of JSON lines; empty lines say nothing.
pub(super) fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, EpisodeError> {
    let file = std::fs::File::open(path).map_err(|source| EpisodeError::read(path, source))?;
    let mut reader = BufReader::new(file);
    let mut entries = Vec::new();
    let mut text = Vec::new();
    for number in 1.. {
        text.clear();
        let read = std::io::Read::take(&mut reader, MAX_LINE).read_until(b'\n', &mut text);
        if read.map_err(|source| EpisodeError::read(path, source))? == 0 {
            break;
        }
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let entry = serde_json::from_slice(&text).map_err(|error| {
            EpisodeError::damaged(path, format!("line {number} is not the JSON that belongs there ({error})"))
        })?;
        entries.push(entry);
    }
    Ok(entries)
}

/// Reads all episodes, in order.
pub(super) fn episodes(
    path: &Path,
    root: &Path,
    info: &DatasetInfo,
) -> Result<Vec<EpisodeRecord>, EpisodeError> {
    let mut records: Vec<EpisodeRecord> = Vec::new();
    for line in lines::<EpisodeLine>(path)? {
        let number = records.len();
        if line.episode_index != number {
            let problem = format!("it lists episode {}, expected {number}", line.episode_index);
            return Err(EpisodeError::damaged(path, problem));
        }
        if line.length == 0 {
            return Err(EpisodeError::damaged(path, format!("episode {number} has length 0")));
        }
        let first_index = records.last().map_or(0, |last| last.first_index + last.length);
        if line.length > info.total_frames.saturating_sub(first_index) {
            let problem =
                format!("its episodes have more frames than meta/info.json says ({})", info.total_frames);
            return Err(EpisodeError::damaged(path, problem));
        }
        records.push(record(info, number, first_index, line.length));
    }
    catalog::check_totals(root, info, &records, EPISODES)?;
    Ok(records)
}

/// Where an episode of this layout lies.
pub(super) fn record(info: &DatasetInfo, number: usize, first_index: usize, length: usize) -> EpisodeRecord {
    // The template names the episode itself; these two numbers only tell files apart.
    let file = (number as u64 / info.chunks_size, number as u64);
    let place = |storage| match storage {
        PictureStorage::Video => Some(VideoPlace { file, from_timestamp: 0.0 }),
        PictureStorage::Images => None,
    };
    EpisodeRecord {
        length,
        first_index,
        data_file: file,
        data_rows: 0..length,
        videos: info.cameras.iter().map(|camera| place(camera.storage)).collect(),
    }
}
