//! `roarm dataset info`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::must_be_folder;
use crate::cli::exit::{CliError, Exit};
use crate::cli::terminal;
use crate::episode::{Dataset, PictureStorage};

#[derive(Args, Debug)]
pub(in crate::cli) struct InfoFlags {
    /// The dataset's folder (the one that holds meta/ and data/)
    dir: PathBuf,
    /// Print one JSON object on the last line of standard output
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Serialize)]
struct Summary {
    ok: bool,
    folder: PathBuf,
    version: String,
    robot_type: Option<String>,
    fps: f64,
    episodes: usize,
    frames: usize,
    duration_s: f64,
    /// Shortest, median and longest episode, frames.
    lengths: [usize; 3],
    /// Episodes of each task (that of its first frame).
    tasks: Vec<TaskSummary>,
    cameras: Vec<CameraSummary>,
    splits: BTreeMap<String, String>,
    other_features: Vec<String>,
    bytes: u64,
    files: usize,
}

#[derive(Serialize)]
struct TaskSummary {
    task: String,
    episodes: usize,
    frames: usize,
}

#[derive(Serialize)]
struct CameraSummary {
    key: String,
    width: u32,
    height: u32,
    storage: &'static str,
}

pub(super) fn info(flags: &InfoFlags) -> Result<Exit, CliError> {
    must_be_folder(&flags.dir)?;
    let summary = summary(&flags.dir)?;
    if flags.json {
        terminal::print_json(&summary);
    } else {
        terminal::print(page(&summary));
    }
    Ok(Exit::Done)
}

fn summary(folder: &Path) -> Result<Summary, CliError> {
    let dataset = Dataset::open(folder)?;
    let mut lengths = Vec::new();
    let mut tasks: Vec<TaskSummary> = dataset
        .tasks()
        .iter()
        .map(|task| TaskSummary { task: task.clone(), episodes: 0, frames: 0 })
        .collect();
    for number in 0..dataset.episode_count() {
        let episode = dataset.episode(number)?;
        lengths.push(episode.states.len());
        if let Some(task) = tasks.iter_mut().find(|task| task.task == episode.task) {
            task.episodes += 1;
            task.frames += episode.states.len();
        }
    }
    lengths.sort_unstable();
    let at = |place: usize| lengths.get(place).copied().unwrap_or(0);
    let (files, bytes) = size_of(folder, 6);
    let camera = |camera: &crate::episode::CameraInfo| CameraSummary {
        key: camera.key.clone(),
        width: camera.width,
        height: camera.height,
        storage: match camera.storage {
            PictureStorage::Video => "video",
            PictureStorage::Images => "images",
        },
    };
    Ok(Summary {
        ok: true,
        folder: folder.to_path_buf(),
        version: dataset.version().to_owned(),
        robot_type: dataset.robot_type().map(str::to_owned),
        fps: dataset.fps(),
        episodes: dataset.episode_count(),
        frames: dataset.frame_count(),
        duration_s: dataset.frame_count() as f64 / dataset.fps(),
        lengths: [at(0), at(lengths.len() / 2), at(lengths.len().saturating_sub(1))],
        tasks,
        cameras: dataset.cameras().iter().map(camera).collect(),
        splits: dataset.splits().map(|(name, range)| (name.to_owned(), range.to_owned())).collect(),
        other_features: dataset.other_features().to_vec(),
        bytes,
        files,
    })
}

/// Files and bytes in a folder; links are not followed.
fn size_of(folder: &Path, depth: usize) -> (usize, u64) {
    let Ok(entries) = std::fs::read_dir(folder) else { return (0, 0) };
    let sizes = entries.flatten().map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() && depth > 0 => size_of(&entry.path(), depth - 1),
        Ok(kind) if kind.is_file() => (1, entry.metadata().map_or(0, |metadata| metadata.len())),
        _ => (0, 0),
    });
    sizes.fold((0, 0), |(files, bytes), (more_files, more_bytes)| (files + more_files, bytes + more_bytes))
}

fn page(summary: &Summary) -> String {
    let seconds = |frames: usize| frames as f64 / summary.fps;
    let [shortest, median, longest] = summary.lengths;
    let mut lines = vec![
        format!("{} (LeRobot {})", summary.folder.display(), summary.version),
        format!("robot        {}", summary.robot_type.as_deref().unwrap_or("not stated")),
        format!(
            "episodes     {}, {} frames at {} a second, {:.1} s in all",
            summary.episodes, summary.frames, summary.fps, summary.duration_s
        ),
        format!(
            "lengths      {:.1} s to {:.1} s, half of them {:.1} s or longer",
            seconds(shortest),
            seconds(longest),
            seconds(median)
        ),
    ];
    for camera in &summary.cameras {
        lines.push(format!(
            "camera       {} {}x{}, {}",
            camera.key, camera.width, camera.height, camera.storage
        ));
    }
    for task in &summary.tasks {
        lines
            .push(format!("task         {} ({} episodes, {} frames)", task.task, task.episodes, task.frames));
    }
    for (name, range) in &summary.splits {
        lines.push(format!("split        {name}: episodes {range}"));
    }
    if !summary.other_features.is_empty() {
        lines.push(format!("not read     {}", summary.other_features.join(", ")));
    }
    lines.push(format!("size         {:.1} MB in {} files", summary.bytes as f64 * 1e-6, summary.files));
    lines.join("\n")
}
