//! A damaged dataset gives an error that names the file; never a panic, never a read outside its folder.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use roarm::episode::{Dataset, EpisodeError};
use serde_json::{Value, json};

const INFO: &str = "meta/info.json";
const TASKS: &str = "meta/tasks.parquet";
const EPISODES: &str = "meta/episodes/chunk-000/file-000.parquet";
const ROWS: &str = "data/chunk-000/file-000.parquet";
const VIDEO: &str = "videos/observation.images.front/chunk-000/file-000.mp4";

/// A copy of a dataset in a folder of its own.
struct Copy {
    folder: tempfile::TempDir,
}

impl Copy {
    fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        for file in [INFO, TASKS, EPISODES, ROWS, VIDEO] {
            let to = folder.path().join("set").join(file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from.join(file), to).unwrap();
        }
        Self { folder }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("set")
    }

    fn edit_info(&self, pointer: &str, value: Value) {
        let path = self.root().join(INFO);
        let mut info: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        *info.pointer_mut(pointer).unwrap() = value;
        fs::write(&path, info.to_string()).unwrap();
    }

    /// Reads everything that there is to read.
    fn read_all(&self) -> Result<(), EpisodeError> {
        let dataset = Dataset::open(self.root())?;
        for number in 0..dataset.episode_count() {
            dataset.episode(number)?;
            for camera in dataset.cameras() {
                let clip = dataset.clip(number, Some(&camera.key))?;
                let (mut reader, first) = clip.open()?;
                let mut rgb = vec![0; reader.frame_bytes()];
                for frame in first..first + clip.length {
                    reader.read_frame(frame, &mut rgb)?;
                }
            }
        }
        Ok(())
    }

    fn error(&self) -> String {
        self.read_all().unwrap_err().to_string()
    }
}

#[test]
fn a_missing_file_is_named() {
    for file in [INFO, TASKS, EPISODES, ROWS, VIDEO] {
        let copy = Copy::of("lerobot_v3_av1");
        fs::remove_file(copy.root().join(file)).unwrap();
        let error = copy.error();
        assert!(error.contains(file) && error.contains("missing"), "{error}");
    }
}

#[test]
fn a_file_cut_short_is_named() {
    for name in ["lerobot_v3_av1", "lerobot_v3_h264"] {
        for file in [INFO, TASKS, EPISODES, ROWS, VIDEO] {
            let whole = fs::read(Copy::of(name).root().join(file)).unwrap();
            for length in [0, 1, 7, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
                let copy = Copy::of(name);
                fs::write(copy.root().join(file), &whole[..length]).unwrap();
                let error = copy.error();
                assert!(error.contains(file), "{file} of {length} bytes: {error}");
            }
        }
    }
}

#[test]
fn counts_that_disagree_are_told() {
    for (pointer, value, part) in [
        ("/total_episodes", json!(4), "total_episodes is 4, but meta/episodes has 3"),
        ("/total_frames", json!(99), "total_frames is 99, but the episodes have 98"),
        ("/total_tasks", json!(3), "it has 2 tasks, meta/info.json says 3"),
        ("/fps", json!(25), "25"),
        (
            "/features/observation.images.front/shape",
            json!([48, 64, 3]),
            "pictures are 96x96, meta/info.json says 64x48",
        ),
        ("/data_path", json!("data/{episode}.parquet"), "{episode}"),
    ] {
        let copy = Copy::of("lerobot_v3_av1");
        copy.edit_info(pointer, value);
        let error = copy.error();
        assert!(error.contains(part), "{pointer}: {error}");
    }
    // The frame rate of rows and pictures is judged where info.json does not contradict itself.
    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_info("/fps", json!(25));
    copy.edit_info("/features/observation.images.front/info/video.fps", json!(25));
    let error = copy.error();
    assert!(error.contains(ROWS) && error.contains("at 25 frames a second"), "{error}");
}

#[test]
fn no_path_leads_outside() {
    for template in
        ["../secret.mp4", "/etc/passwd", "videos/../../secret.mp4", "videos/{video_key}/../../../secret.mp4"]
    {
        let copy = Copy::of("lerobot_v3_av1");
        fs::copy(copy.root().join(VIDEO), copy.folder.path().join("secret.mp4")).unwrap();
        copy.edit_info("/video_path", json!(template));
        let error = copy.read_all().unwrap_err();
        assert!(matches!(error, EpisodeError::OutsideFolder { .. }), "{template}: {error}");
        assert!(error.to_string().contains("info.json"), "{error}");
    }
    let copy = Copy::of("lerobot_v3_av1");
    let outside = copy.folder.path().join("secret.mp4");
    fs::rename(copy.root().join(VIDEO), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, copy.root().join(VIDEO)).unwrap();
    assert!(matches!(copy.read_all(), Err(EpisodeError::OutsideFolder { .. })), "a link that leads out");
}

#[test]
fn numbers_that_are_none_are_found() {
    let copy = Copy::of("lerobot_v3_av1");
    rewrite_rows(&copy.root().join(ROWS), f32::NAN);
    let error = copy.error();
    assert!(error.contains(ROWS) && error.contains("no finite number") && error.contains("row 5"), "{error}");
    let copy = Copy::of("lerobot_v3_av1");
    rewrite_rows(&copy.root().join(ROWS), 1.5);
    copy.read_all().unwrap();
}

/// Writes the rows anew with `value` as the third angle of the fifth state.
fn rewrite_rows(path: &Path, value: f32) {
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::types::Float32Type;
    use arrow_array::{Array as _, FixedSizeListArray, Float32Array, RecordBatch};
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    let file = fs::File::open(path).unwrap();
    let batches: Vec<RecordBatch> = ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut writer =
        ArrowWriter::try_new(fs::File::create(path).unwrap(), batches[0].schema(), None).unwrap();
    for (number, batch) in batches.iter().enumerate() {
        let place = batch.schema().index_of("observation.state").unwrap();
        let states = batch.column(place).as_fixed_size_list();
        let mut angles = states.values().as_primitive::<Float32Type>().values().to_vec();
        if number == 0 {
            angles[5 * 6 + 2] = value;
        }
        let arrow_schema::DataType::FixedSizeList(field, size) = states.data_type() else { panic!("a list") };
        let changed =
            FixedSizeListArray::new(Arc::clone(field), *size, Arc::new(Float32Array::from(angles)), None);
        let mut columns = batch.columns().to_vec();
        columns[place] = Arc::new(changed);
        writer.write(&RecordBatch::try_new(batch.schema(), columns).unwrap()).unwrap();
    }
    writer.close().unwrap();
}

/// Overwrites bytes at random places of `file`, then reads everything: an error must name a file of the dataset.
fn mutate(name: &str, file: &str, changes: &[(usize, u8)]) -> Result<(), TestCaseError> {
    let copy = Copy::of(name);
    let path = copy.root().join(file);
    let mut bytes = fs::read(&path).unwrap();
    for (place, value) in changes {
        let place = place % bytes.len();
        bytes[place] = *value;
    }
    fs::write(&path, bytes).unwrap();
    if let Err(error) = copy.read_all() {
        let text = error.to_string();
        let root = copy.root();
        prop_assert!(text.contains(&*root.to_string_lossy()), "names no file: {text}");
    }
    Ok(())
}

/// Places, taken modulo the file's length, and the bytes that are put there.
fn changes() -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop::collection::vec((any::<usize>(), any::<u8>()), 1..6)
}

/// Places among the tables of a video, which stand in its first 1,400 bytes.
fn table_changes() -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop::collection::vec((0_usize..1400, any::<u8>()), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn damaged_info_never_panics(changes in changes()) {
        mutate("lerobot_v3_av1", INFO, &changes)?;
    }

    #[test]
    fn damaged_parquet_never_panics(changes in changes(), file in prop::sample::select(vec![TASKS, EPISODES, ROWS])) {
        mutate("lerobot_v3_av1", file, &changes)?;
    }

    #[test]
    fn damaged_av1_video_never_panics(changes in changes()) {
        mutate("lerobot_v3_av1", VIDEO, &changes)?;
    }

    #[test]
    fn damaged_h264_video_never_panics(changes in changes()) {
        mutate("lerobot_v3_h264", VIDEO, &changes)?;
    }

    #[test]
    fn damaged_video_tables_never_panic(changes in table_changes(), h264 in any::<bool>()) {
        mutate(if h264 { "lerobot_v3_h264" } else { "lerobot_v3_av1" }, VIDEO, &changes)?;
    }
}

/// Few by default; `PROPTEST_CASES` asks for more, as the soak tier does.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24)
}
