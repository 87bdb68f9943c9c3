//! `meta/info.json`: what the dataset says of itself.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::EpisodeError;
use super::path_template::PathFields;
use crate::types::{JOINT_COUNT, Joint};

/// How the folder is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// v2.0 and v2.1: one parquet file and one video an episode, lists in JSON lines (LeRobot up to 0.3).
    EpisodeFiles,
    /// v3.0: files of many episodes, lists in parquet (LeRobot 0.4 and later).
    SharedFiles,
}

impl Layout {
    fn of(codebase_version: &str) -> Option<Self> {
        match codebase_version {
            "v2.0" | "v2.1" => Some(Self::EpisodeFiles),
            "v3.0" => Some(Self::SharedFiles),
            _ => None,
        }
    }
}

/// How a camera's pictures are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureStorage {
    /// MP4 files.
    Video,
    /// PNG or JPEG files inside the data files, or beside them.
    Images,
}

/// Files or episodes in one folder, where the dataset does not say it (LeRobot's own default).
const DEFAULT_CHUNKS_SIZE: u64 = 1000;

/// The highest frame rate that is believed.
const MAX_FPS: f64 = 1000.0;

/// One camera of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraInfo {
    /// The feature's name, such as `observation.images.front`.
    pub key: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Where its pictures are.
    pub storage: PictureStorage,
}

/// The checked content of `meta/info.json`.
#[derive(Clone, Debug)]
pub(super) struct DatasetInfo {
    pub(super) version: String,
    pub(super) layout: Layout,
    /// Episodes in one folder before v3.0; above 0.
    pub(super) chunks_size: u64,
    pub(super) fps: f64,
    pub(super) robot_type: Option<String>,
    pub(super) total_episodes: usize,
    pub(super) total_frames: usize,
    pub(super) total_tasks: usize,
    pub(super) data_path: String,
    /// `None` in a dataset without video.
    pub(super) video_path: Option<String>,
    /// By key.
    pub(super) cameras: Vec<CameraInfo>,
    /// Names of features that are neither joints, cameras nor the numbers that every dataset has.
    pub(super) other_features: Vec<String>,
    /// Splits as written, `{"train": "0:3"}`.
    pub(super) splits: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct RawInfo {
    robot_type: Option<String>,
    total_episodes: usize,
    total_frames: usize,
    total_tasks: usize,
    fps: f64,
    data_path: String,
    video_path: Option<String>,
    chunks_size: Option<u64>,
    #[serde(default)]
    splits: BTreeMap<String, Value>,
    features: BTreeMap<String, RawFeature>,
}

/// What every dataset has beside joints and cameras.
const DEFAULT_FEATURES: [&str; 5] = ["timestamp", "frame_index", "episode_index", "index", "task_index"];

#[derive(Deserialize)]
struct RawFeature {
    dtype: String,
    shape: Vec<u64>,
    #[serde(default)]
    names: Value,
    #[serde(default)]
    info: Option<RawVideoInfo>,
}

#[derive(Deserialize)]
struct RawVideoInfo {
    #[serde(rename = "video.fps")]
    fps: Option<f64>,
}

impl DatasetInfo {
    pub(super) fn read(path: &Path) -> Result<Self, EpisodeError> {
        let bytes = std::fs::read(path).map_err(|source| EpisodeError::read(path, source))?;
        Self::parse(&bytes, path)
    }

    fn parse(bytes: &[u8], path: &Path) -> Result<Self, EpisodeError> {
        let document: Value = serde_json::from_slice(bytes)
            .map_err(|error| EpisodeError::damaged(path, format!("not valid JSON ({error})")))?;
        // The version comes first: other versions lack other fields, and that is not the news.
        let version = document.get("codebase_version").and_then(Value::as_str).map(str::to_owned);
        let version = version.ok_or_else(|| EpisodeError::damaged(path, "it states no codebase_version"))?;
        let layout = Layout::of(&version).ok_or_else(|| EpisodeError::UnsupportedVersion {
            path: path.to_path_buf(),
            found: version.clone(),
        })?;
        let raw: RawInfo = serde_json::from_value(document).map_err(|error| {
            EpisodeError::damaged(path, format!("a field is missing or of another type ({error})"))
        })?;
        if !(raw.fps > 0.0 && raw.fps <= MAX_FPS) {
            return Err(EpisodeError::damaged(
                path,
                format!("fps is {}, expected more than 0 and at most {MAX_FPS}", raw.fps),
            ));
        }
        for name in ["observation.state", "action"] {
            check_joint_feature(raw.features.get(name), name, path)?;
        }
        let cameras = cameras(&raw, path)?;
        let videos = cameras.iter().any(|camera| camera.storage == PictureStorage::Video);
        if videos && raw.video_path.is_none() {
            return Err(EpisodeError::damaged(path, "it has video features but no video_path"));
        }
        let chunks_size = raw.chunks_size.unwrap_or(DEFAULT_CHUNKS_SIZE);
        if chunks_size == 0 {
            return Err(EpisodeError::damaged(path, "chunks_size is 0"));
        }
        let known = |name: &str| {
            ["observation.state", "action"].contains(&name)
                || DEFAULT_FEATURES.contains(&name)
                || cameras.iter().any(|camera| camera.key == name)
        };
        let other_features = raw.features.keys().filter(|name| !known(name)).cloned().collect();
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Ok(Self {
            version,
            layout,
            chunks_size,
            other_features,
            splits: raw.splits.into_iter().map(|(name, value)| (name, text(value))).collect(),
            fps: raw.fps,
            robot_type: raw.robot_type,
            total_episodes: raw.total_episodes,
            total_frames: raw.total_frames,
            total_tasks: raw.total_tasks,
            data_path: raw.data_path,
            video_path: raw.video_path,
            cameras,
        })
    }
}

impl DatasetInfo {
    /// What the path templates are filled with: a file's folder and number (v3.0) or the episode's (before).
    pub(super) const fn path_fields<'a>(
        &self,
        video_key: &'a str,
        file: (u64, u64),
        episode: usize,
    ) -> PathFields<'a> {
        let episode_index = episode as u64;
        PathFields {
            video_key,
            chunk_index: file.0,
            file_index: file.1,
            episode_chunk: episode_index / self.chunks_size,
            episode_index,
        }
    }
}

fn check_joint_feature(feature: Option<&RawFeature>, name: &str, path: &Path) -> Result<(), EpisodeError> {
    let feature = feature.ok_or_else(|| EpisodeError::unfit(path, format!("it has no feature `{name}`")))?;
    if feature.shape != [JOINT_COUNT as u64] {
        return Err(EpisodeError::unfit(
            path,
            format!(
                "feature `{name}` has shape {:?}, expected [{JOINT_COUNT}], one angle a joint",
                feature.shape
            ),
        ));
    }
    // Names in another order would swap joints silently. Names of another vocabulary say nothing, so they pass.
    let mut names = Vec::new();
    collect_names(&feature.names, &mut names);
    let known: Vec<usize> = names.iter().filter_map(|text| joint_place(text)).collect();
    if known.len() == JOINT_COUNT && !known.is_sorted() {
        return Err(EpisodeError::unfit(
            path,
            format!(
                "feature `{name}` has the joints in the order {names:?}, expected base, shoulder, elbow, wrist, roll, gripper"
            ),
        ));
    }
    Ok(())
}

/// `names` is a list, or in older datasets a map of lists (`{"motors": […]}`).
fn collect_names<'a>(names: &'a Value, into: &mut Vec<&'a str>) {
    match names {
        Value::String(text) => into.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect_names(item, into)),
        Value::Object(items) => items.values().for_each(|item| collect_names(item, into)),
        _ => {}
    }
}

fn joint_place(name: &str) -> Option<usize> {
    let name = name.strip_suffix(".pos").unwrap_or(name);
    Joint::ALL.iter().position(|joint| joint.name() == name)
}

fn cameras(raw: &RawInfo, path: &Path) -> Result<Vec<CameraInfo>, EpisodeError> {
    let mut cameras = Vec::new();
    for (key, feature) in &raw.features {
        let storage = match feature.dtype.as_str() {
            "video" => PictureStorage::Video,
            "image" => PictureStorage::Images,
            _ => continue,
        };
        let mut names = Vec::new();
        collect_names(&feature.names, &mut names);
        let channels_first = names.first().is_some_and(|name| name.starts_with("channel"));
        let size = match feature.shape[..] {
            [3, height, width] if channels_first => Some((width, height)),
            [height, width, 3] => Some((width, height)),
            _ => None,
        };
        let size = size.and_then(|(width, height)| u32::try_from(width).ok().zip(u32::try_from(height).ok()));
        let Some((width, height)) = size.filter(|(width, height)| *width > 0 && *height > 0) else {
            let problem =
                format!("camera `{key}` has shape {:?}, expected [height, width, 3]", feature.shape);
            return Err(EpisodeError::damaged(path, problem));
        };
        if let Some(fps) = feature.info.as_ref().and_then(|info| info.fps)
            && fps != raw.fps
        {
            let problem = format!("camera `{key}` has {fps} frames a second, the dataset {}", raw.fps);
            return Err(EpisodeError::damaged(path, problem));
        }
        cameras.push(CameraInfo { key: key.clone(), width, height, storage });
    }
    Ok(cameras)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn sound() -> Value {
        let names = ["base.pos", "shoulder.pos", "elbow.pos", "wrist.pos", "roll.pos", "gripper.pos"];
        let joints = json!({"dtype": "float32", "shape": [6], "names": names});
        json!({
            "codebase_version": "v3.0", "robot_type": "roarm_m3", "total_episodes": 1, "total_frames": 2,
            "total_tasks": 1, "fps": 30, "data_path": "data/{file_index}.parquet", "video_path": "v/{video_key}.mp4",
            "features": {
                "observation.state": joints, "action": joints,
                "observation.images.front":
                    {"dtype": "video", "shape": [48, 64, 3], "names": null, "info": {"video.fps": 30}},
            },
        })
    }

    fn parse(document: &Value) -> Result<DatasetInfo, EpisodeError> {
        DatasetInfo::parse(document.to_string().as_bytes(), Path::new("D/meta/info.json"))
    }

    #[test]
    fn reads_cameras_with_height_first() {
        let info = parse(&sound()).unwrap();
        let storage = PictureStorage::Video;
        let front = CameraInfo { key: "observation.images.front".into(), width: 64, height: 48, storage };
        assert_eq!(info.cameras, [front]);
        assert_eq!(info.fps, 30.0);
    }

    #[test]
    fn each_fault_is_named() {
        let with = |pointer: &str, value: Value| {
            let mut document = sound();
            *document.pointer_mut(pointer).unwrap() = value;
            parse(&document).unwrap_err().to_string()
        };
        let older = with("/codebase_version", json!("v1.6"));
        assert!(older.contains("v1.6") && older.contains("v2.0, v2.1 and v3.0"), "{older}");
        assert!(with("/codebase_version", json!("v4.0")).contains("update roarm"));
        for fps in [json!(0), json!(-30), json!(1e9)] {
            assert!(with("/fps", fps).contains("fps is"));
        }
        assert!(with("/fps", json!("thirty")).contains("info.json"));
        assert!(with("/features/action/shape", json!([7])).contains("[7]"));
        assert!(
            with("/features/observation.images.front/shape", json!([3, 48, 64])).contains("height, width")
        );
        assert!(
            with("/features/observation.images.front/info/video.fps", json!(25))
                .contains("25 frames a second")
        );
        assert!(with("/video_path", Value::Null).contains("no video_path"));
        let swapped = json!({"motors": ["base", "elbow", "shoulder", "wrist", "roll", "gripper"]});
        assert!(with("/features/action/names", swapped).contains("in the order"));
    }

    #[test]
    fn names_of_another_vocabulary_pass() {
        let mut document = sound();
        document["features"]["action"]["names"] = json!(["j1", "j2", "j3", "j4", "j5", "j6"]);
        assert!(parse(&document).is_ok());
    }
}
