//! What is written: judged by this project's own reader and by what LeRobot wrote. LeRobot's own judgement is a Python test
//! (`models/export/tests/heavy/test_written_datasets.py`).

use std::fs::{self, File};
use std::path::Path;

use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use roarm::episode::{
    CameraInfo, CheckOptions, Dataset, DatasetEpisodes, DatasetOutline, DatasetWriter, EpisodeError,
    NewFrame, PictureStorage, PictureStream, ProblemKind, Repair, WriteStep, check, write_dataset,
};
use roarm::types::DatasetAngles;
use serde_json::{Value, json};

use crate::copy::{Copy, EPISODES, INFO, ROWS, VIDEO, data};

fn export(name: &str, episodes: &[usize], storage: PictureStorage, out: &Path) -> WriteStep {
    let dataset = Dataset::open(data(name)).unwrap();
    let mut source = DatasetEpisodes::new(&dataset, episodes.to_vec());
    write_dataset(&mut source, out, storage, &mut |_| true).unwrap()
}

fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn pictures(dataset: &Dataset, episode: usize, camera: &str) -> Vec<Vec<u8>> {
    let mut reader = dataset.pictures(episode, Some(camera)).unwrap();
    let mut rgb = vec![0; reader.frame_bytes()];
    (0..reader.length())
        .map(|frame| {
            reader.read(frame, &mut rgb).unwrap();
            rgb.clone()
        })
        .collect()
}

fn psnr_db(a: &[u8], b: &[u8]) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
    10.0 * (255.0_f64.powi(2) * a.len() as f64 / squares.max(1e-9)).log10()
}

/// Brightness alone. The small sets have a white square on a plain colour, whose edges 4:2:0 cannot hold in any encoding: it stores
/// colour at half the resolution. Brightness shows what the encoder does.
fn luma(rgb: &[u8]) -> Vec<u8> {
    let bright = |pixel: &[u8]| {
        0.299 * f64::from(pixel[0]) + 0.587 * f64::from(pixel[1]) + 0.114 * f64::from(pixel[2])
    };
    rgb.chunks_exact(3).map(|pixel| bright(pixel).round() as u8).collect()
}

/// Rows equal to the last bit, pictures at least this good in brightness (`None`: equal).
fn compare(before: &Dataset, after: &Dataset, episodes: &[usize], least_db: Option<f64>) {
    assert_eq!(after.episode_count(), episodes.len());
    for (place, number) in episodes.iter().enumerate() {
        let (old, old_tasks) = before.episode_with_tasks(*number).unwrap();
        let (new, new_tasks) = after.episode_with_tasks(place).unwrap();
        assert_eq!(
            (&old.states, &old.actions, &old.timestamps),
            (&new.states, &new.actions, &new.timestamps)
        );
        assert_eq!(old_tasks, new_tasks);
        for camera in before.cameras() {
            let (old, new) = (pictures(before, *number, &camera.key), pictures(after, place, &camera.key));
            assert_eq!(old.len(), new.len());
            for (frame, (old, new)) in old.iter().zip(&new).enumerate() {
                match least_db {
                    None => assert_eq!(old, new, "episode {number} frame {frame}"),
                    Some(least) => {
                        let (found, colours) = (psnr_db(&luma(old), &luma(new)), psnr_db(old, new));
                        assert!(colours >= 30.0, "{} frame {frame}: {colours:.1} dB", camera.key);
                        assert!(
                            found >= least,
                            "episode {number} {} frame {frame}: {found:.1} dB",
                            camera.key
                        );
                    }
                }
            }
        }
    }
}

fn sound(folder: &Path) {
    let report = check(folder, CheckOptions { decode_pictures: true }, &mut |_| {}).unwrap();
    assert_eq!(report.problems, [], "{}", folder.display());
}

const SETS: [&str; 6] = [
    "lerobot_v3_av1",
    "lerobot_v3_h264",
    "lerobot_v3_images",
    "lerobot_v3_two_cameras",
    "lerobot_v21_video",
    "lerobot_v21_images",
];

#[test]
fn every_layout_is_exported_to_images_without_loss() {
    for name in SETS {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("new");
        export(name, &[0, 1, 2], PictureStorage::Images, &out);
        compare(&Dataset::open(data(name)).unwrap(), &Dataset::open(&out).unwrap(), &[0, 1, 2], None);
        sound(&out);
    }
}

#[test]
fn every_layout_is_exported_to_video_at_38_db() {
    for name in SETS {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("new");
        export(name, &[2, 0], PictureStorage::Video, &out);
        compare(&Dataset::open(data(name)).unwrap(), &Dataset::open(&out).unwrap(), &[2, 0], Some(38.0));
        sound(&out);
    }
}

/// Every number of `ours` within 1e-5 of LeRobot's, relative to its size from 1 on.
fn close(ours: &Value, theirs: &Value, at: &str) {
    match (ours, theirs) {
        (Value::Array(ours), Value::Array(theirs)) => {
            assert_eq!(ours.len(), theirs.len(), "{at}");
            ours.iter()
                .zip(theirs)
                .enumerate()
                .for_each(|(place, (a, b))| close(a, b, &format!("{at}[{place}]")));
        }
        (Value::Number(ours), Value::Number(theirs)) => {
            assert_eq!(ours.is_f64(), theirs.is_f64(), "{at}: {ours} and {theirs} are of the same type");
            let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
            assert!(
                (ours - theirs).abs() <= 1e-5 * theirs.abs().max(1.0),
                "{at}: {ours}, LeRobot has {theirs}"
            );
        }
        _ => panic!("{at}: {ours}, LeRobot has {theirs}"),
    }
}

/// The dataset of images has the very pictures that LeRobot computed its statistics from.
#[test]
fn info_and_statistics_are_those_that_lerobot_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new");
    export("lerobot_v3_images", &[0, 1, 2], PictureStorage::Images, &out);
    let theirs = data("lerobot_v3_images");
    assert_eq!(json_file(&out.join(INFO)), json_file(&theirs.join(INFO)));
    let (ours, theirs) =
        (json_file(&out.join("meta/stats.json")), json_file(&theirs.join("meta/stats.json")));
    let names = |value: &Value| {
        let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names(&ours), names(&theirs));
    for (feature, statistics) in theirs.as_object().unwrap() {
        assert_eq!(names(&ours[feature]), names(statistics), "{feature}");
        for (name, value) in statistics.as_object().unwrap() {
            close(&ours[feature][name], value, &format!("{feature} {name}"));
        }
    }
    // With more rows, and joints that go far: state, action and the numbers of the frames.
    let out = folder.path().join("video");
    export("lerobot_v3_av1", &[0, 1, 2], PictureStorage::Video, &out);
    let (ours, theirs) =
        (json_file(&out.join("meta/stats.json")), json_file(&data("lerobot_v3_av1").join("meta/stats.json")));
    for feature in
        ["observation.state", "action", "timestamp", "frame_index", "index", "episode_index", "task_index"]
    {
        for (name, value) in theirs[feature].as_object().unwrap() {
            close(&ours[feature][name], value, &format!("{feature} {name}"));
        }
    }
}

/// Columns and their types; field names inside lists are the writer's own.
fn columns(path: &Path) -> Vec<(String, String)> {
    fn shape(of: &DataType) -> String {
        match of {
            DataType::List(inner) => format!("list<{}>", shape(inner.data_type())),
            DataType::FixedSizeList(inner, size) => format!("list<{}>[{size}]", shape(inner.data_type())),
            DataType::LargeUtf8 => "Utf8".to_owned(),
            DataType::Struct(fields) => fields
                .iter()
                .map(|field| format!("{} {}", field.name(), shape(field.data_type())))
                .collect::<Vec<_>>()
                .join(","),
            other => other.to_string(),
        }
    }
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let mut found: Vec<_> = reader
        .schema()
        .fields()
        .iter()
        .map(|field| (field.name().clone(), shape(field.data_type())))
        .collect();
    found.sort();
    found
}

#[test]
fn parquet_files_have_the_columns_that_lerobot_writes() {
    let folder = tempfile::tempdir().unwrap();
    for (name, storage) in
        [("lerobot_v3_images", PictureStorage::Images), ("lerobot_v3_h264", PictureStorage::Video)]
    {
        let out = folder.path().join(name);
        export(name, &[0, 1, 2], storage, &out);
        for file in [ROWS, EPISODES, "meta/tasks.parquet"] {
            assert_eq!(columns(&out.join(file)), columns(&data(name).join(file)), "{name} {file}");
        }
    }
}

/// Soft shapes and a sensor's noise, as a camera gives them: 38 dB and more in all colours.
#[test]
fn pictures_of_a_camera_are_stored_as_video_at_38_db() {
    let (width, height) = (320_usize, 240_usize);
    let picture = |number: usize| -> Vec<u8> {
        let mut noise = 12345_u32 + number as u32;
        let mut rgb = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            for x in 0..width {
                let wave = |period: f64, at: f64| (at / period).sin();
                let shift = number as f64 * 3.0;
                for base in [
                    120.0 + 90.0 * wave(37.0, x as f64 + shift),
                    110.0 + 80.0 * wave(29.0, y as f64 + shift),
                    60.0 + x as f64 / 3.0,
                ] {
                    noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    rgb.push((base + f64::from(noise >> 24) / 64.0 - 2.0).clamp(0.0, 255.0) as u8);
                }
            }
        }
        rgb
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new");
    let mut writer = DatasetWriter::create(&out, outline(&[(320, 240)]), PictureStorage::Video).unwrap();
    for number in 0..8 {
        writer.add_frame(&frame(number, vec![picture(number)])).unwrap();
    }
    writer.close_episode().unwrap();
    for (number, read) in pictures(&Dataset::open(&out).unwrap(), 0, "c0").iter().enumerate() {
        let found = psnr_db(read, &picture(number));
        assert!(found >= 38.0, "frame {number}: {found:.1} dB");
    }
}

fn frame(number: usize, pictures: Vec<Vec<u8>>) -> NewFrame {
    NewFrame {
        timestamp_s: number as f64 / 30.0,
        state: DatasetAngles::from_array_deg([number as f64; 6]),
        action: DatasetAngles::from_array_deg([number as f64 + 1.0; 6]),
        task: "Wave.".to_owned(),
        pictures,
    }
}

fn outline(cameras: &[(u32, u32)]) -> DatasetOutline {
    let camera = |(place, (width, height)): (usize, &(u32, u32))| CameraInfo {
        key: format!("observation.images.c{place}"),
        width: *width,
        height: *height,
        storage: PictureStorage::Images,
    };
    DatasetOutline {
        fps: 30.0,
        robot_type: Some("roarm_m3".to_owned()),
        cameras: cameras.iter().enumerate().map(camera).collect(),
    }
}

#[test]
fn an_episode_is_visible_once_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new");
    let mut writer = DatasetWriter::create(&out, outline(&[(32, 16)]), PictureStorage::Video).unwrap();
    let picture = vec![vec![90; 32 * 16 * 3]];
    writer.add_frame(&frame(0, picture.clone())).unwrap();
    assert!(Dataset::open(&out).is_err(), "nothing is closed yet");
    writer.add_frame(&frame(1, picture.clone())).unwrap();
    writer.close_episode().unwrap();
    assert_eq!(Dataset::open(&out).unwrap().frame_count(), 2);
    for number in 0..5 {
        writer.add_frame(&frame(number, picture.clone())).unwrap();
    }
    assert_eq!(Dataset::open(&out).unwrap().frame_count(), 2, "the second is open");
    sound(&out);
    writer.discard_episode().unwrap();
    assert!(matches!(writer.close_episode(), Err(EpisodeError::Refused { .. })));
    for number in 0..3 {
        writer.add_frame(&frame(number, picture.clone())).unwrap();
    }
    drop(writer);
    sound(&out);
    let left: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "data, videos, meta: {left:?}");
}

#[test]
fn a_dataset_without_cameras_or_with_one_frame_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("blind");
    let mut writer = DatasetWriter::create(&out, outline(&[]), PictureStorage::Video).unwrap();
    writer.add_frame(&frame(0, Vec::new())).unwrap();
    writer.close_episode().unwrap();
    sound(&out);
    assert_eq!(json_file(&out.join(INFO))["video_path"], Value::Null);
    let statistics = json_file(&out.join("meta/stats.json"));
    assert_eq!(
        (&statistics["action"]["std"][0], &statistics["action"]["q99"][0]),
        (&json!(0.0), &json!(1.0))
    );
}

#[test]
fn frames_that_do_not_belong_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer =
        DatasetWriter::create(folder.path().join("new"), outline(&[(32, 16)]), PictureStorage::Images)
            .unwrap();
    let picture = vec![vec![0; 32 * 16 * 3]];
    writer.add_frame(&frame(0, picture.clone())).unwrap();
    let refused = |writer: &mut DatasetWriter, frame: &NewFrame, part: &str| {
        let error = writer.add_frame(frame).unwrap_err().to_string();
        assert!(error.contains("frame 1 of episode 0") && error.contains(part), "{error}");
    };
    refused(&mut writer, &frame(2, picture.clone()), "expected 0.0333");
    let mut nan = frame(1, picture.clone());
    nan.action = DatasetAngles::from_array_deg([f64::NAN; 6]);
    refused(&mut writer, &nan, "finite");
    refused(&mut writer, &frame(1, Vec::new()), "0 pictures for 1 cameras");
    refused(&mut writer, &frame(1, vec![vec![0; 7]]), "7 bytes, expected 32x16 RGB");
    writer.add_frame(&frame(1, picture)).unwrap();
    writer.close_episode().unwrap();
    sound(&folder.path().join("new"));

    let again = DatasetWriter::create(folder.path().join("new"), outline(&[]), PictureStorage::Images);
    assert!(again.is_err_and(|error| error.to_string().contains("name a new folder")));
    let mut odd =
        DatasetWriter::create(folder.path().join("odd"), outline(&[(33, 16)]), PictureStorage::Video)
            .unwrap();
    let error = odd.add_frame(&frame(0, vec![vec![0; 33 * 16 * 3]])).unwrap_err().to_string();
    assert!(error.contains("33x16") && error.contains("write images instead"), "{error}");
}

#[test]
fn a_stream_gives_every_picture_in_order_with_any_number_of_workers() {
    for name in ["lerobot_v3_av1", "lerobot_v3_h264", "lerobot_v3_images"] {
        let dataset = Dataset::open(data(name)).unwrap();
        let expected = pictures(&dataset, 0, "front");
        for workers in 0..5 {
            let mut stream = PictureStream::open(&dataset, 0, Some("front"), workers).unwrap();
            assert_eq!(stream.length(), expected.len());
            let mut rgb = Vec::new();
            for (frame, expected) in expected.iter().enumerate() {
                assert!(stream.next_picture(&mut rgb).unwrap());
                assert_eq!(rgb, *expected, "{name} frame {frame} with {workers} workers");
            }
            assert!(!stream.next_picture(&mut rgb).unwrap());
            // Left in the middle, its threads end.
            let mut left = PictureStream::open(&dataset, 0, Some("front"), workers).unwrap();
            assert!(left.next_picture(&mut rgb).unwrap());
        }
    }
}

fn repaired(copy: &Copy, kept: &[usize]) -> Dataset {
    let out = copy.beside("new");
    let repair = Repair::plan(copy.root(), CheckOptions::default(), &mut |_| {}).unwrap();
    assert_eq!(repair.kept(), kept);
    write_dataset(&mut repair.source(), &out, repair.storage(), &mut |_| true).unwrap();
    sound(&out);
    Dataset::open(out).unwrap()
}

#[test]
fn repair_leaves_out_what_is_broken_and_numbers_the_rest_anew() {
    // NaN in episode 1; wrong counts; wrong indices; a stray file.
    let copy = Copy::of("lerobot_v3_h264");
    copy.edit_vectors(ROWS, "action", |values| values[45 * 6] = f32::NAN);
    copy.edit_integers(ROWS, "index", |values| values.iter_mut().for_each(|value| *value += 5));
    copy.edit_integers(EPISODES, "dataset_from_index", |values| values[2] = 0);
    copy.edit_json(INFO, |info| info["total_frames"] = json!(12));
    copy.edit_json("meta/stats.json", |stats| stats["action"]["max"][0] = json!(0.0));
    fs::copy(copy.path(VIDEO), copy.path("videos/observation.images.front/chunk-000/file-007.mp4")).unwrap();
    let original = Dataset::open(data("lerobot_v3_h264")).unwrap();
    compare(&original, &repaired(&copy, &[0, 2]), &[0, 2], Some(38.0));

    // A missing video, and no list of tasks: the list of episodes has the texts too.
    let copy = Copy::of("lerobot_v3_two_cameras");
    fs::remove_file(copy.path("videos/observation.images.wrist/chunk-000/file-000.mp4")).unwrap();
    fs::remove_file(copy.path("meta/tasks.parquet")).unwrap();
    let original = Dataset::open(data("lerobot_v3_two_cameras")).unwrap();
    compare(&original, &repaired(&copy, &[1, 2]), &[1, 2], Some(38.0));

    // Images stay images.
    let copy = Copy::of("lerobot_v21_images");
    fs::remove_file(copy.path("data/chunk-000/episode_000000.parquet")).unwrap();
    let original = Dataset::open(data("lerobot_v21_images")).unwrap();
    compare(&original, &repaired(&copy, &[1, 2]), &[1, 2], None);
}

#[test]
fn what_cannot_be_repaired_says_so() {
    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_json(INFO, |info| info["features"]["action"]["shape"] = json!([7]));
    let error = Repair::plan(copy.root(), CheckOptions::default(), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("info.json") && error.contains("[7]"), "{error}");
    let copy = Copy::of("lerobot_v3_av1");
    fs::remove_file(copy.path(ROWS)).unwrap();
    let error = Repair::plan(copy.root(), CheckOptions::default(), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("none of its episodes"), "{error}");
    let report = check(copy.root(), CheckOptions::default(), &mut |_| {}).unwrap();
    assert!(report.problems.iter().all(|one| one.kind == ProblemKind::MissingFile), "{:#?}", report.problems);
}
