//! The lists under `meta/` as they stand: episodes and tasks.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::problem::{Findings, Place, ProblemKind};
use crate::episode::catalog;
use crate::episode::columns::Table;
use crate::episode::info::{DatasetInfo, Layout, PictureStorage};
use crate::episode::legacy;
use crate::episode::path_template;
use crate::episode::tasks;
use crate::episode::{EpisodeError, VideoClip};

/// An episode as the list has it, and what the rows say of it.
#[derive(Clone, Debug)]
pub(in crate::episode) struct ListedEpisode {
    pub(in crate::episode) number: usize,
    /// Frames, above 0.
    pub(in crate::episode) length: usize,
    /// Its place in the list, for messages: file (seen from the dataset's folder) and row.
    pub(super) list: (PathBuf, usize),
    /// First and last-but-one value of `index` that the list states.
    pub(super) index: Option<(i64, i64)>,
    /// Its task texts that the list states.
    pub(in crate::episode) tasks: Vec<String>,
    pub(super) data_file: (u64, u64),
    /// In the order of the dataset's cameras.
    pub(super) videos: Vec<Option<ListedVideo>>,
    /// Where its rows really are; `None` when they were not found.
    pub(in crate::episode) rows: Option<FoundRows>,
}

/// Where an episode's rows are.
#[derive(Clone, Debug)]
pub(in crate::episode) struct FoundRows {
    pub(in crate::episode) path: PathBuf,
    pub(in crate::episode) rows: Range<usize>,
}

/// Files, beginnings and ends of one camera's films, one of each a row.
type VideoColumns = (Vec<(u64, u64)>, Vec<f64>, Vec<f64>);

/// An episode's place in a video as the list has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListedVideo {
    pub(super) file: (u64, u64),
    pub(super) from_s: f64,
    /// `None` in layouts that do not state it.
    pub(super) to_s: Option<f64>,
}

/// Everything of a dataset that can be found without trusting more than `info.json`.
#[derive(Debug)]
pub(in crate::episode) struct Survey {
    /// Canonical.
    pub(in crate::episode) root: PathBuf,
    pub(in crate::episode) info: DatasetInfo,
    /// Texts by number; `None` for a number without.
    pub(in crate::episode) tasks: Vec<Option<String>>,
    pub(in crate::episode) episodes: Vec<ListedEpisode>,
}

impl Survey {
    /// Reads the lists. What is wrong with them becomes a finding; what can be read stays.
    pub(super) fn read(root: PathBuf, info: DatasetInfo, findings: &mut Findings) -> Self {
        let mut survey = Self { root, info, tasks: Vec::new(), episodes: Vec::new() };
        survey.read_tasks(findings);
        survey.read_episodes(findings);
        survey.check_counts(findings);
        survey
    }

    /// A file of the dataset, seen from its folder.
    pub(super) fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    /// The data file of an episode, which must exist inside the folder.
    pub(super) fn data_path(&self, episode: &ListedEpisode) -> Result<PathBuf, EpisodeError> {
        self.path(&self.info.data_path, "", episode.data_file, episode.number)
    }

    /// The stretch of video of an episode and the camera with this place; `None` for a camera without video.
    pub(in crate::episode) fn clip(
        &self,
        episode: &ListedEpisode,
        camera: usize,
    ) -> Option<Result<VideoClip, EpisodeError>> {
        let video = episode.videos.get(camera).copied().flatten()?;
        let camera = self.info.cameras.get(camera)?.clone();
        let template = self.info.video_path.as_deref().unwrap_or_default();
        let path = self.path(template, &camera.key, video.file, episode.number);
        Some(path.map(|path| VideoClip {
            path,
            camera,
            from_timestamp_s: video.from_s,
            length: episode.length,
            fps: self.info.fps,
        }))
    }

    fn path(
        &self,
        template: &str,
        video_key: &str,
        file: (u64, u64),
        episode: usize,
    ) -> Result<PathBuf, EpisodeError> {
        let info_path = self.root.join("meta/info.json");
        let filled = path_template::fill(template, &self.info.path_fields(video_key, file, episode))
            .map_err(|problem| EpisodeError::damaged(&info_path, problem))?;
        path_template::inside(&self.root, &filled, &info_path)
    }

    fn read_tasks(&mut self, findings: &mut Findings) {
        let file = match self.info.layout {
            Layout::SharedFiles => "meta/tasks.parquet",
            Layout::EpisodeFiles => legacy::TASKS,
        };
        let place = Place::file(Path::new(file));
        let read =
            path_template::inside(&self.root, file, &self.root.join("meta/info.json")).and_then(|path| {
                match self.info.layout {
                    Layout::SharedFiles => tasks::entries(&path),
                    Layout::EpisodeFiles => legacy::lines::<legacy::TaskLine>(&path)
                        .map(|lines| lines.into_iter().map(|line| (line.task_index, line.task)).collect()),
                }
            });
        let entries = match read {
            Ok(entries) => entries,
            Err(error) => return findings.add_error(&error, &self.root, place),
        };
        let count = entries.len();
        for (row, (number, text)) in entries.into_iter().enumerate() {
            // A number far beyond the count is no place in a list.
            if number >= count {
                let problem =
                    format!("task_index {number} in a list of {count}: numbers are missing before it");
                findings.add(ProblemKind::TaskList, place.row(row), problem);
            }
            if number >= self.tasks.len() {
                self.tasks.resize(number.min(count * 2 + 1000) + 1, None);
            }
            match self.tasks.get_mut(number) {
                Some(slot @ None) => *slot = Some(text),
                Some(Some(_)) => {
                    findings.add(
                        ProblemKind::TaskList,
                        place.row(row),
                        format!("task_index {number} stands twice"),
                    );
                }
                None => {}
            }
        }
        if count != self.info.total_tasks {
            let problem = format!("total_tasks is {}, but {file} has {count}", self.info.total_tasks);
            findings.add(ProblemKind::Count, Place::file(Path::new("meta/info.json")), problem);
        }
    }

    fn read_episodes(&mut self, findings: &mut Findings) {
        let info_path = self.root.join("meta/info.json");
        match self.info.layout {
            Layout::SharedFiles => {
                let files = path_template::inside(&self.root, "meta/episodes", &info_path)
                    .and_then(|_| catalog::episode_files(&self.root));
                match files {
                    Ok(files) => files.iter().for_each(|path| self.read_episode_file(path, findings)),
                    Err(error) => {
                        findings.add_error(&error, &self.root, Place::file(Path::new("meta/episodes")));
                    }
                }
            }
            Layout::EpisodeFiles => {
                let place = Place::file(Path::new(legacy::EPISODES));
                let lines = path_template::inside(&self.root, legacy::EPISODES, &info_path)
                    .and_then(|path| legacy::lines::<legacy::EpisodeLine>(&path));
                match lines {
                    Ok(lines) => {
                        for (row, line) in lines.into_iter().enumerate() {
                            self.add_episode(line, row, findings);
                        }
                    }
                    Err(error) => findings.add_error(&error, &self.root, place),
                }
            }
        }
    }

    fn add_episode(&mut self, line: legacy::EpisodeLine, row: usize, findings: &mut Findings) {
        let file = PathBuf::from(legacy::EPISODES);
        if !self.check_number(Some(line.episode_index as i64), Some(line.length as i64), &file, row, findings)
        {
            return;
        }
        let record = legacy::record(&self.info, line.episode_index, 0, line.length);
        let video = |video: Option<catalog::VideoPlace>| {
            video.map(|video| ListedVideo { file: video.file, from_s: video.from_timestamp, to_s: None })
        };
        self.episodes.push(ListedEpisode {
            number: line.episode_index,
            length: line.length,
            list: (file, row),
            index: None,
            tasks: line.tasks,
            data_file: record.data_file,
            videos: record.videos.into_iter().map(video).collect(),
            rows: None,
        });
    }

    fn read_episode_file(&mut self, path: &Path, findings: &mut Findings) {
        let file = self.relative(path).to_path_buf();
        if let Err(error) = self.try_episode_file(path, &file, findings) {
            findings.add_error(&error, &self.root, Place::file(&file));
        }
    }

    fn try_episode_file(
        &mut self,
        path: &Path,
        file: &Path,
        findings: &mut Findings,
    ) -> Result<(), EpisodeError> {
        let table = Table::read(path, |column| !column.starts_with("stats/"), None)?;
        let numbers = table.raw_integers("episode_index")?;
        let lengths = table.raw_integers("length")?;
        let from = table.raw_integers("dataset_from_index")?;
        let to = table.raw_integers("dataset_to_index")?;
        let data_files = catalog::file_numbers(&table, "data")?;
        let tasks = match table.columns().iter().any(|column| column == "tasks") {
            true => table.text_lists("tasks")?,
            false => vec![Vec::new(); table.rows()],
        };
        let mut videos = Vec::new();
        for camera in &self.info.cameras {
            videos.push(match camera.storage {
                PictureStorage::Images => None,
                PictureStorage::Video => {
                    let prefix = format!("videos/{}", camera.key);
                    let files = catalog::file_numbers(&table, &prefix)?;
                    let from = table.raw_numbers(&format!("{prefix}/from_timestamp"))?;
                    Some((files, from, table.raw_numbers(&format!("{prefix}/to_timestamp"))?))
                }
            });
        }
        for row in 0..table.rows() {
            if !self.check_number(numbers[row], lengths[row], file, row, findings) {
                continue;
            }
            let video = |camera: &Option<VideoColumns>| {
                let (files, from, to) = camera.as_ref()?;
                Some(ListedVideo { file: files[row], from_s: from[row], to_s: Some(to[row]) })
            };
            self.episodes.push(ListedEpisode {
                // check_number has seen that both are numbers from 0 on.
                number: numbers[row].unwrap_or(0) as usize,
                length: lengths[row].unwrap_or(0) as usize,
                list: (file.to_path_buf(), row),
                index: from[row].zip(to[row]),
                tasks: tasks[row].clone(),
                data_file: data_files[row],
                videos: videos.iter().map(video).collect(),
                rows: None,
            });
        }
        Ok(())
    }

    /// Whether a row of the list can be an episode at all.
    fn check_number(
        &self,
        number: Option<i64>,
        length: Option<i64>,
        file: &Path,
        row: usize,
        findings: &mut Findings,
    ) -> bool {
        let place = Place::file(file).row(row);
        let expected = self.episodes.last().map_or(0, |last| last.number + 1);
        let Some(found) = number.and_then(|number| usize::try_from(number).ok()) else {
            findings.add(
                ProblemKind::EpisodeList,
                place,
                format!("episode_index is {number:?}, expected {expected}"),
            );
            return false;
        };
        if found < expected {
            findings.add(
                ProblemKind::EpisodeList,
                place,
                format!("episode {found} stands twice or out of order"),
            );
            return false;
        }
        if found > expected {
            let problem =
                format!("episode {found} follows where {expected} is expected: {} missing", found - expected);
            findings.add(ProblemKind::EpisodeList, place, problem);
        }
        if length.is_none_or(|length| length <= 0) {
            let problem = format!("episode {found} has length {}", length.unwrap_or(0));
            findings.add(ProblemKind::EpisodeList, place.episode(found), problem);
            return false;
        }
        true
    }

    fn check_counts(&self, findings: &mut Findings) {
        let place = Place::file(Path::new("meta/info.json"));
        let frames: usize = self.episodes.iter().fold(0, |sum, episode| sum.saturating_add(episode.length));
        for (name, stated, found) in [
            ("total_episodes", self.info.total_episodes, self.episodes.len()),
            ("total_frames", self.info.total_frames, frames),
        ] {
            if stated != found {
                findings.add(
                    ProblemKind::Count,
                    place,
                    format!("{name} is {stated}, but the list of episodes has {found}"),
                );
            }
        }
        for (name, range) in &self.info.splits {
            let ends = range.split_once(':').map(|(from, to)| (from.parse::<usize>(), to.parse::<usize>()));
            let sound = matches!(ends, Some((Ok(from), Ok(to))) if from <= to && to <= self.episodes.len());
            if !sound {
                let problem = format!(
                    "split `{name}` is `{range}`, but there are episodes 0 to {}",
                    self.episodes.len()
                );
                findings.add(ProblemKind::Count, place, problem);
            }
        }
        let mut expected = 0_i64;
        for episode in &self.episodes {
            let length = episode.length as i64;
            if let Some((from, to)) = episode.index
                && (from, to) != (expected, expected.saturating_add(length))
            {
                let problem = format!(
                    "the list gives it indices {from} to {to}, expected {expected} to {} for its {length} frames",
                    expected.saturating_add(length)
                );
                let place = Place::file(&episode.list.0).episode(episode.number).row(episode.list.1);
                findings.add(ProblemKind::EpisodeRange, place, problem);
            }
            expected = expected.saturating_add(length);
        }
        let known: HashSet<&str> = self.tasks.iter().flatten().map(String::as_str).collect();
        // Without a readable list of tasks there is nothing to compare with.
        for episode in self.episodes.iter().filter(|_| !known.is_empty()) {
            for text in episode.tasks.iter().filter(|text| !known.contains(text.as_str())) {
                let place = Place::file(&episode.list.0).episode(episode.number).row(episode.list.1);
                let problem = format!("its task `{text}` is not in the list of tasks");
                findings.add(ProblemKind::TaskList, place, problem);
            }
        }
    }
}
