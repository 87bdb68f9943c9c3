//! Datasets that LeRobot wrote read back as LeRobot itself reads them, every frame the one that was asked for.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::fs::File;
use std::path::PathBuf;

use ndarray_npy::NpzReader;
use proptest::prelude::*;
use roarm::camera::{CameraError, DatasetSource, FrameGenerator, FrameSource, PacedSource, SourceSpec};
use roarm::episode::{Dataset, EpisodeError, VideoReader};
use roarm::types::{FramePool, Timestamp};

const LENGTHS: [usize; 3] = [40, 25, 33];
const SIZE: usize = 96;

/// Both codecs; each test runs on both.
const DATASETS: [&str; 2] = ["lerobot_v3_av1", "lerobot_v3_h264"];

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Episode and frame of a row of the whole dataset.
fn place(mut index: usize) -> (usize, usize) {
    for (episode, length) in LENGTHS.into_iter().enumerate() {
        if index < length {
            return (episode, index);
        }
        index -= length;
    }
    panic!("the dataset has 98 rows");
}

/// The episode and frame that a picture says it is: red is 60 * episode + 40, a white square stands at x = (2 * frame) % 80.
fn number_in(rgb: &[u8]) -> (usize, usize) {
    let red = |x: usize, y: usize| usize::from(rgb[(y * SIZE + x) * 3]);
    let blue = |x: usize, y: usize| usize::from(rgb[(y * SIZE + x) * 3 + 2]);
    let background: usize = (0..SIZE).map(|x| red(x, 10)).sum::<usize>() / SIZE;
    let episode = (0..LENGTHS.len()).find(|episode| background.abs_diff(60 * episode + 40) <= 6);
    let episode = episode.unwrap_or_else(|| panic!("red {background} belongs to no episode"));
    // The square is the run of 16 columns with the most light in all of its rows.
    let column = |x: usize| (42..54).map(|y| red(x, y) + blue(x, y)).sum::<usize>();
    let light = |left: usize| (left..left + 16).map(column).sum::<usize>();
    let left = (0..=SIZE - 16).max_by_key(|left| light(*left)).unwrap();
    // Even, but a decoder may blur an edge by one pixel.
    (episode, left.div_ceil(2) % 40)
}

#[test]
fn rows_and_pictures_equal_lerobots_own() {
    for name in DATASETS {
        let dataset = Dataset::open(data(name)).unwrap();
        let mut expected =
            NpzReader::new(File::open(data(&format!("{name}.expected.npz"))).unwrap()).unwrap();
        let (mut worst_mean, mut sum_of_means) = (0.0_f64, 0.0);
        let indices = [0, 39, 40, 41, 64, 65, 97];
        for index in indices {
            let (number, frame) = place(index);
            let episode = dataset.episode(number).unwrap();
            let state: ndarray::Array1<f32> =
                expected.by_name(&format!("{index}.observation.state.npy")).unwrap();
            let read = episode.states[frame].to_array_deg().map(|angle| (angle as f32).to_bits());
            assert_eq!(
                read.to_vec(),
                state.iter().map(|angle| angle.to_bits()).collect::<Vec<_>>(),
                "{name} {index}"
            );
            let timestamp: ndarray::Array0<f32> =
                expected.by_name(&format!("{index}.timestamp.npy")).unwrap();
            assert_eq!((episode.timestamps[frame] as f32).to_bits(), timestamp.into_scalar().to_bits());
            let task: ndarray::Array0<i64> = expected.by_name(&format!("{index}.task_index.npy")).unwrap();
            assert_eq!(episode.task, dataset.tasks()[task.into_scalar() as usize]);

            let picture: ndarray::Array3<f32> =
                expected.by_name(&format!("{index}.observation.images.front.npy")).unwrap();
            let (mut reader, first) = dataset.clip(number, None).unwrap().open().unwrap();
            let mut rgb = vec![0; reader.frame_bytes()];
            reader.read_frame(first + frame, &mut rgb).unwrap();
            let mut difference = 0.0;
            for (place, value) in rgb.iter().enumerate() {
                let (pixel, channel) = (place / 3, place % 3);
                let theirs = picture[[channel, pixel / SIZE, pixel % SIZE]] * 255.0;
                difference += f64::from((f32::from(*value) - theirs).abs());
            }
            let mean = difference / rgb.len() as f64;
            assert!(mean <= 2.0, "{name} frame {index}: mean absolute difference {mean}/255");
            worst_mean = worst_mean.max(mean);
            sum_of_means += mean;
        }
        let mean = sum_of_means / indices.len() as f64;
        println!("{name}: mean absolute difference {mean:.4}/255, worst frame {worst_mean:.4}/255");
    }
}

#[test]
fn actions_and_lengths_are_there() {
    for name in DATASETS {
        let dataset = Dataset::open(data(name)).unwrap();
        assert_eq!((dataset.episode_count(), dataset.frame_count(), dataset.fps()), (3, 98, 30.0));
        for (number, length) in LENGTHS.into_iter().enumerate() {
            let episode = dataset.episode(number).unwrap();
            assert_eq!(
                (episode.states.len(), episode.actions.len(), episode.timestamps.len()),
                (length, length, length)
            );
            assert!(episode.states.windows(2).any(|pair| pair[0] != pair[1]), "the arm moves");
        }
        assert_eq!(dataset.tasks(), ["Pick up the red cube and place it in the box.", "Open the gripper."]);
    }
}

/// Reads frames of the whole file in the given order and checks what number each picture tells.
fn check_order(reader: &mut VideoReader, order: impl IntoIterator<Item = usize>) {
    let mut rgb = vec![0; reader.frame_bytes()];
    for index in order {
        reader.read_frame(index, &mut rgb).unwrap();
        assert_eq!(number_in(&rgb), place(index), "asked for frame {index} of {}", reader.path().display());
    }
}

fn whole_file(name: &str) -> VideoReader {
    VideoReader::open(data(name).join("videos/observation.images.front/chunk-000/file-000.mp4")).unwrap()
}

#[test]
fn every_frame_tells_its_own_number_in_any_order() {
    for name in DATASETS {
        let mut reader = whole_file(name);
        assert_eq!(reader.frame_count(), 98);
        let started = std::time::Instant::now();
        check_order(&mut reader, 0..98);
        println!("{name}: 98 frames in order in {:?}", started.elapsed());
        check_order(&mut reader, (0..98).rev());
        check_order(&mut reader, (0..98).map(|step| step * 41 % 98));
        check_order(&mut reader, [39, 40, 39, 39, 40, 64, 65, 64, 97, 0, 97, 96, 97]);
        let error = reader.read_frame(98, &mut vec![0; SIZE * SIZE * 3]).unwrap_err();
        assert!(matches!(error, EpisodeError::NoSuchFrame { frame: 98, count: 98, .. }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_access_is_exact(order in prop::collection::vec(0_usize..98, 1..40), h264 in any::<bool>()) {
        check_order(&mut whole_file(DATASETS[usize::from(h264)]), order);
    }
}

fn source(text: &str) -> DatasetSource {
    let SourceSpec::Dataset(spec) = SourceSpec::parse(text).unwrap() else { panic!("a dataset was named") };
    DatasetSource::open(&spec).unwrap()
}

#[test]
fn a_source_shows_its_episode_only_and_loops_with_new_numbers() {
    let pool = FramePool::new(2);
    for name in DATASETS {
        for (episode, length) in LENGTHS.into_iter().enumerate() {
            let mut source = source(&format!("dataset:{}:{episode}:front", data(name).display()));
            assert_eq!(source.length(), length);
            assert!((source.period().as_secs_f64() - 1.0 / 30.0).abs() < 1e-9);
            for sequence in 0..2 * length as u64 + 3 {
                let captured = Timestamp::from_nanos(sequence * 33_333_333);
                let frame = source.generate(sequence, captured, &pool).unwrap().unwrap();
                assert_eq!((frame.metadata.id, frame.metadata.sequence), (sequence, sequence));
                assert_eq!((frame.metadata.captured, frame.metadata.width), (captured, 96));
                assert_eq!(number_in(frame.picture().bytes), (episode, sequence as usize % length));
            }
        }
    }
}

#[test]
fn without_looping_a_source_ends() {
    let pool = FramePool::new(2);
    let mut once = source(&format!("dataset:{}:1?loop=0", data("lerobot_v3_av1").display()));
    assert!(once.generate(24, Timestamp::ZERO, &pool).unwrap().is_some());
    assert!(once.generate(25, Timestamp::ZERO, &pool).unwrap().is_none());
    let mut paced =
        PacedSource::new(source(&format!("dataset:{}:1?loop=0", data("lerobot_v3_h264").display())), || {
            Timestamp::from_nanos(7)
        });
    let mut last = None;
    while let Some(frame) = paced.next_frame(&pool).unwrap() {
        assert!(last.is_none_or(|last| last < frame.metadata.sequence));
        last = Some(frame.metadata.sequence);
    }
    assert!(last.is_some_and(|last| last < 25));
}

#[test]
fn wrong_names_are_answered_with_the_right_ones() {
    let folder = data("lerobot_v3_av1");
    let open = |text: String| {
        let SourceSpec::Dataset(spec) = SourceSpec::parse(&text).unwrap() else {
            panic!("a dataset was named")
        };
        DatasetSource::open(&spec).unwrap_err()
    };
    let episode = open(format!("dataset:{}:3", folder.display()));
    assert!(matches!(
        episode,
        CameraError::Recording(EpisodeError::NoSuchEpisode { episode: 3, count: 3, .. })
    ));
    let camera = open(format!("dataset:{}:0:wrist", folder.display())).to_string();
    assert!(camera.contains("observation.images.front"), "{camera}");
    let missing = open("dataset:no/such/folder:0".to_owned()).to_string();
    assert!(missing.contains("no/such/folder"), "{missing}");
}
