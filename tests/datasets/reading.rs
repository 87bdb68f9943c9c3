//! Every layout that LeRobot wrote is read as LeRobot itself reads it.

use std::fs::File;

use ndarray_npy::NpzReader;
use roarm::camera::{DatasetSource, FrameGenerator, SourceSpec};
use roarm::episode::{Dataset, Layout, PictureStorage};
use roarm::types::{FramePool, Timestamp};

use crate::copy::{Copy, INFO, data};

const LENGTHS: [usize; 3] = [12, 7, 9];
const TASKS: [&str; 2] = ["Pick up the red cube.", "Open the gripper."];

/// Name, version, cameras, mean difference of a picture from LeRobot's that is allowed (of 255).
const DATASETS: [(&str, &str, &[&str], f64); 4] = [
    ("lerobot_v3_images", "v3.0", &["front", "wrist"], 0.0),
    ("lerobot_v3_two_cameras", "v3.0", &["front", "wrist"], 2.0),
    ("lerobot_v21_video", "v2.1", &["front", "wrist"], 2.0),
    ("lerobot_v21_images", "v2.1", &["front"], 0.0),
];

#[test]
fn every_frame_of_every_layout_equals_lerobots_own() {
    for (name, version, cameras, limit) in DATASETS {
        let dataset = Dataset::open(data(name)).unwrap();
        assert_eq!((dataset.version(), dataset.episode_count(), dataset.frame_count()), (version, 3, 28));
        assert_eq!(dataset.layout() == Layout::EpisodeFiles, version == "v2.1");
        assert_eq!(dataset.tasks(), TASKS);
        assert_eq!(dataset.cameras().len(), cameras.len());
        let mut expected =
            NpzReader::new(File::open(data(&format!("{name}.expected.npz"))).unwrap()).unwrap();
        let mut index = 0;
        for (number, length) in LENGTHS.into_iter().enumerate() {
            let episode = dataset.episode(number).unwrap();
            assert_eq!((episode.states.len(), dataset.episode_length(number).unwrap()), (length, length));
            let mut readers: Vec<_> =
                cameras.iter().map(|camera| dataset.pictures(number, Some(camera)).unwrap()).collect();
            for frame in 0..length {
                for (key, pose) in
                    [("observation.state", episode.states[frame]), ("action", episode.actions[frame])]
                {
                    let theirs: ndarray::Array1<f32> =
                        expected.by_name(&format!("{index}.{key}.npy")).unwrap();
                    let ours = pose.to_array_deg().map(|angle| angle as f32);
                    assert_eq!(ours.as_slice(), theirs.as_slice().unwrap(), "{name} {index} {key}");
                }
                let stamp: ndarray::Array0<f32> =
                    expected.by_name(&format!("{index}.timestamp.npy")).unwrap();
                assert_eq!((episode.timestamps[frame] as f32).to_bits(), stamp.into_scalar().to_bits());
                let task: ndarray::Array0<i64> =
                    expected.by_name(&format!("{index}.task_index.npy")).unwrap();
                assert_eq!(episode.task, TASKS[task.into_scalar() as usize]);
                for reader in &mut readers {
                    let key = reader.camera().key.clone();
                    let mut rgb = vec![0; reader.frame_bytes()];
                    reader.read(frame, &mut rgb).unwrap();
                    let theirs: ndarray::Array3<u8> =
                        expected.by_name(&format!("{index}.{key}.npy")).unwrap();
                    let (_, height, width) = theirs.dim();
                    assert_eq!(
                        (reader.camera().height as usize, reader.camera().width as usize),
                        (height, width)
                    );
                    let difference: u64 = rgb
                        .iter()
                        .enumerate()
                        .map(|(place, value)| {
                            let (pixel, channel) = (place / 3, place % 3);
                            u64::from(value.abs_diff(theirs[[channel, pixel / width, pixel % width]]))
                        })
                        .sum();
                    let mean = difference as f64 / rgb.len() as f64;
                    assert!(mean <= limit, "{name} {index} {key}: mean absolute difference {mean}/255");
                }
                index += 1;
            }
        }
    }
}

/// Where the white square of the camera's picture stands.
fn square_at(rgb: &[u8], width: usize) -> usize {
    let light = |left: usize| -> u32 {
        (left..left + 8)
            .flat_map(|x| (21..27).map(move |y| (y, x)))
            .map(|(y, x)| u32::from(rgb[(y * width + x) * 3 + 2]))
            .sum()
    };
    (0..=width - 8).max_by_key(|left| light(*left)).unwrap()
}

#[test]
fn pictures_come_in_any_order_with_and_without_a_cache() {
    for (name, _, cameras, _) in DATASETS {
        let dataset = Dataset::open(data(name)).unwrap();
        for camera in cameras {
            for budget in [0, 1 << 20] {
                let mut pictures = dataset.pictures(0, Some(camera)).unwrap();
                pictures.keep_decoded(budget);
                let mut rgb = vec![0; pictures.frame_bytes()];
                for frame in [11, 0, 5, 4, 3, 2, 1, 0, 11, 10, 9, 10, 11, 6] {
                    pictures.read(frame, &mut rgb).unwrap();
                    let step = if *camera == "front" { 3 } else { 5 };
                    let found = square_at(&rgb, pictures.camera().width as usize);
                    assert!(
                        found.abs_diff(step * frame % 40) <= 1,
                        "{name} {camera} frame {frame}: at {found}"
                    );
                }
                assert!(pictures.read(12, &mut rgb).unwrap_err().to_string().contains("no frame 12"));
            }
        }
    }
}

#[test]
fn a_camera_of_images_plays_as_one_of_video() {
    for name in ["lerobot_v3_images", "lerobot_v21_images", "lerobot_v21_video"] {
        let SourceSpec::Dataset(spec) =
            SourceSpec::parse(&format!("dataset:{}:2:front", data(name).display())).unwrap()
        else {
            panic!("a dataset was named")
        };
        let mut source = DatasetSource::open(&spec).unwrap();
        let pool = FramePool::new(2);
        for sequence in 0..20 {
            let frame = source.generate(sequence, Timestamp::ZERO, &pool).unwrap().unwrap();
            let found = square_at(frame.picture().bytes, 64);
            assert!(found.abs_diff(3 * (sequence as usize % 9) % 40) <= 1, "{name} {sequence}: at {found}");
        }
    }
}

/// A picture on its side has as many bytes as one upright.
#[test]
fn a_stored_picture_of_another_size_is_no_picture() {
    let copy = Copy::of("lerobot_v3_images");
    copy.edit_json(INFO, |info| {
        info["features"]["observation.images.wrist"]["shape"] = serde_json::json!([48, 64, 3]);
    });
    let dataset = Dataset::open(copy.root()).unwrap();
    let mut pictures = dataset.pictures(1, Some("wrist")).unwrap();
    let mut rgb = vec![0; pictures.frame_bytes()];
    let error = pictures.read(0, &mut rgb).unwrap_err().to_string();
    assert!(error.contains("row 12") && error.contains("is 48x64, meta/info.json says 64x48"), "{error}");
}

#[test]
fn a_frame_is_found_by_its_time() {
    let dataset = Dataset::open(data("lerobot_v21_video")).unwrap();
    let at = |time_s: f64| dataset.frame_at(1, time_s, 1e-4).unwrap();
    assert_eq!((at(0.0), at(6.0 / 30.0), at(0.06667)), (Some(0), Some(6), Some(2)));
    // Between two frames, before the first, after the last, nowhere.
    assert_eq!([at(0.05), at(-0.0333), at(7.0 / 30.0), at(f64::NAN)], [None; 4]);
    assert!(dataset.frame_at(3, 0.0, 1e-4).is_err());
}

#[test]
fn a_camera_of_images_has_no_video() {
    let dataset = Dataset::open(data("lerobot_v3_images")).unwrap();
    assert!(dataset.cameras().iter().all(|camera| camera.storage == PictureStorage::Images));
    let error = dataset.clip(0, Some("front")).unwrap_err().to_string();
    assert!(error.contains("stored as images"), "{error}");
}
