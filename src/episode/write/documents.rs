//! `meta/info.json` and `meta/stats.json` of a new dataset.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::DatasetOutline;
use super::statistics::{FeatureStatistics, Kind, NAMES};
use crate::episode::{EpisodeError, PictureStorage};
use crate::types::Joint;

/// Files in one folder (LeRobot's default).
pub(super) const CHUNKS_SIZE: usize = 1000;
pub(super) const DATA_PATH: &str = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet";
pub(super) const VIDEO_PATH: &str = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4";

/// Episodes, frames and tasks so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Totals {
    pub(super) episodes: usize,
    pub(super) frames: usize,
    pub(super) tasks: usize,
}

/// The content of `info.json`.
pub(super) fn info(outline: &DatasetOutline, storage: PictureStorage, totals: Totals) -> Value {
    // Whole rates as whole numbers: LeRobot's own are.
    let fps = if outline.fps.fract() == 0.0 { json!(outline.fps as u64) } else { json!(outline.fps) };
    let names: Vec<String> = Joint::ALL.iter().map(|joint| format!("{}.pos", joint.name())).collect();
    let joints = json!({"dtype": "float32", "shape": [names.len()], "names": names});
    let mut features = Map::new();
    features.insert("observation.state".to_owned(), joints.clone());
    features.insert("action".to_owned(), joints);
    for camera in &outline.cameras {
        let mut feature = json!({
            "dtype": if storage == PictureStorage::Video { "video" } else { "image" },
            "shape": [camera.height, camera.width, 3],
            "names": ["height", "width", "channels"],
        });
        if storage == PictureStorage::Video {
            feature["info"] = json!({
                "video.height": camera.height,
                "video.width": camera.width,
                "video.codec": "h264",
                "video.pix_fmt": "yuv420p",
                "video.is_depth_map": false,
                "video.fps": fps,
                "video.channels": 3,
                "has_audio": false,
            });
        }
        features.insert(camera.key.clone(), feature);
    }
    features.insert("timestamp".to_owned(), json!({"dtype": "float32", "shape": [1], "names": null}));
    for name in ["frame_index", "episode_index", "index", "task_index"] {
        features.insert(name.to_owned(), json!({"dtype": "int64", "shape": [1], "names": null}));
    }
    let video_path = outline.cameras.first().filter(|_| storage == PictureStorage::Video).map(|_| VIDEO_PATH);
    json!({
        "codebase_version": "v3.0",
        "robot_type": outline.robot_type,
        "total_episodes": totals.episodes,
        "total_frames": totals.frames,
        "total_tasks": totals.tasks,
        "chunks_size": CHUNKS_SIZE,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "fps": fps,
        "splits": {"train": format!("0:{}", totals.episodes)},
        "data_path": DATA_PATH,
        "video_path": video_path,
        "features": features,
    })
}

/// The content of `stats.json`.
pub(super) fn statistics(all: &[(String, FeatureStatistics)]) -> Value {
    let mut features = Map::new();
    for (feature, statistics) in all {
        let mut values = Map::new();
        for (place, name) in NAMES.iter().enumerate() {
            values.insert((*name).to_owned(), statistic(statistics, place));
        }
        features.insert(feature.clone(), Value::Object(values));
    }
    Value::Object(features)
}

fn statistic(statistics: &FeatureStatistics, place: usize) -> Value {
    let values = statistics.values(place);
    let (name, kind) = (NAMES[place], statistics.kind);
    if name == "count" || (kind == Kind::Integers && matches!(name, "min" | "max")) {
        return values.iter().map(|value| json!(*value as i64)).collect();
    }
    match kind {
        Kind::Pictures => values.iter().map(|value| json!([[value]])).collect(),
        _ => values.iter().map(|value| json!(value)).collect(),
    }
}

/// Writes a document as LeRobot does, indented by four; it is on the disk when this returns.
pub(super) fn write(path: &Path, document: &Value) -> Result<(), EpisodeError> {
    let failed = |source| EpisodeError::write(path, source);
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    document.serialize(&mut serializer).map_err(|error| failed(std::io::Error::other(error)))?;
    let mut file = std::fs::File::create(path).map_err(failed)?;
    std::io::Write::write_all(&mut file, &bytes).map_err(failed)?;
    file.sync_all().map_err(failed)
}
