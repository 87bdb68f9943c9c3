//! Each kind of damage is found, with file, episode, row and fix, and nothing else with it.

use std::fs;
use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Float32Builder, ListBuilder};
use arrow_array::{Array, ArrayRef};
use roarm::episode::{CheckOptions, CheckReport, Problem, ProblemKind, check};
use serde_json::json;

use crate::copy::{Copy, EPISODES, INFO, ROWS, TASKS, VIDEO, data};

fn report(copy: &Copy) -> CheckReport {
    check(copy.root(), CheckOptions::default(), &mut |_| {}).unwrap()
}

/// The only kind of problem that there is, with its first problem.
#[track_caller]
fn only(copy: &Copy, kind: ProblemKind) -> Problem {
    let report = report(copy);
    assert!(!report.ok);
    let problem = report.problems.first().unwrap_or_else(|| panic!("nothing was found")).clone();
    assert!(
        report.problems.iter().all(|found| found.kind == kind),
        "expected {kind:?} only: {:#?}",
        report.problems
    );
    assert!(!problem.fix.is_empty());
    problem
}

#[track_caller]
fn found(copy: &Copy, kind: ProblemKind, file: &str, episode: Option<usize>, row: Option<usize>, part: &str) {
    let problem = only(copy, kind);
    let text = format!("{problem:#?}");
    assert_eq!(
        (problem.file.to_str().unwrap(), problem.episode, problem.row),
        (file, episode, row),
        "{text}"
    );
    assert!(problem.problem.contains(part), "{text}");
}

#[test]
fn what_lerobot_wrote_is_sound() {
    for name in [
        "lerobot_v3_av1",
        "lerobot_v3_h264",
        "lerobot_v3_images",
        "lerobot_v3_two_cameras",
        "lerobot_v21_video",
        "lerobot_v21_images",
    ] {
        for decode_pictures in [false, true] {
            let mut steps = 0;
            let report = check(data(name), CheckOptions { decode_pictures }, &mut |_| steps += 1).unwrap();
            assert_eq!(report.problems, [], "{name}");
            assert!(report.ok && report.episodes == 3 && steps > 0);
            assert_eq!(
                report.frames,
                if name.contains("v3_av1") || name.contains("v3_h264") { 98 } else { 28 }
            );
        }
    }
}

/// The recording goes to −72°, and two firmwares clamp the elbow at −45°, one at 0°.
#[test]
fn actions_that_the_arm_cannot_execute_are_counted_by_generation() {
    let report = report(&Copy::of("lerobot_v3_av1"));
    assert!(report.ok, "a matter of the arm, not of the dataset");
    let elbow = |generation: &str| {
        let found =
            report.unreachable.iter().find(|one| one.generation == generation && one.joint == "elbow");
        found.unwrap_or_else(|| panic!("{generation}: {:?}", report.unreachable)).clone()
    };
    let (g1, g3) = (elbow("g1"), elbow("g3"));
    assert!((g1.limit_deg + 45.0).abs() < 0.1 && g1.below && g3.limit_deg.abs() < 0.1);
    assert!(g1.frames > 0 && g1.frames < g3.frames && g3.frames < 98);
    assert!((g1.share - g1.frames as f64 / 98.0).abs() < 1e-12);
    assert!((g1.farthest_deg + 71.976).abs() < 0.01, "{g1:?}");
}

#[test]
fn files_that_are_missing_extra_or_unreadable() {
    let copy = Copy::of("lerobot_v3_two_cameras");
    let video = "videos/observation.images.wrist/chunk-000/file-001.mp4";
    fs::remove_file(copy.path(video)).unwrap();
    found(&copy, ProblemKind::MissingFile, video, Some(1), None, "missing");

    let copy = Copy::of("lerobot_v3_two_cameras");
    let rows = "data/chunk-000/file-002.parquet";
    fs::remove_file(copy.path(rows)).unwrap();
    found(&copy, ProblemKind::MissingFile, rows, Some(2), None, "missing");

    let copy = Copy::of("lerobot_v21_images");
    fs::remove_file(copy.path("meta/tasks.jsonl")).unwrap();
    let all = report(&copy).problems;
    assert_eq!(
        (all[0].kind, all[0].file.to_str()),
        (ProblemKind::MissingFile, Some("meta/tasks.jsonl")),
        "{all:#?}"
    );

    for (file, extra) in [
        (VIDEO, "videos/observation.images.front/chunk-000/file-003.mp4"),
        (ROWS, "data/chunk-001/file-000.parquet"),
    ] {
        let copy = Copy::of("lerobot_v3_av1");
        fs::create_dir_all(copy.path(extra).parent().unwrap()).unwrap();
        fs::copy(copy.path(file), copy.path(extra)).unwrap();
        found(&copy, ProblemKind::ExtraFile, extra, None, None, "no episode");
    }

    for file in [VIDEO, ROWS, EPISODES, TASKS, INFO] {
        let copy = Copy::of("lerobot_v3_av1");
        let bytes = fs::read(copy.path(file)).unwrap();
        fs::write(copy.path(file), &bytes[..bytes.len() / 3]).unwrap();
        let problems = report(&copy).problems;
        let unreadable = problems.iter().find(|one| one.kind == ProblemKind::UnreadableFile);
        assert_eq!(unreadable.and_then(|one| one.file.to_str()), Some(file), "{problems:#?}");
    }

    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_json(INFO, |info| info["data_path"] = json!("../elsewhere/{file_index}.parquet"));
    assert_eq!(report(&copy).problems[0].kind, ProblemKind::OutsideFolder);

    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_json(INFO, |info| info["features"]["action"]["shape"] = json!([7]));
    found(&copy, ProblemKind::Unfit, INFO, None, None, "[7]");
}

#[test]
fn counts_of_info_json() {
    for (name, part) in [
        ("total_episodes", "total_episodes is 7, but the list of episodes has 3"),
        ("total_frames", "total_frames is 7, but the list of episodes has 98"),
        ("total_tasks", "total_tasks is 7, but meta/tasks.parquet has 2"),
    ] {
        let copy = Copy::of("lerobot_v3_av1");
        copy.edit_json(INFO, |info| info[name] = json!(7));
        found(&copy, ProblemKind::Count, INFO, None, None, part);
    }
    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_json(INFO, |info| info["splits"]["train"] = json!("0:4"));
    found(&copy, ProblemKind::Count, INFO, None, None, "split `train`");
}

#[test]
fn the_list_of_episodes() {
    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_integers(EPISODES, "dataset_from_index", |values| values[1] = 41);
    found(
        &copy,
        ProblemKind::EpisodeRange,
        EPISODES,
        Some(1),
        Some(1),
        "indices 41 to 65, expected 40 to 65",
    );

    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_integers(EPISODES, "episode_index", |values| values[1] = 0);
    let problems = report(&copy).problems;
    assert!(
        problems.iter().any(|one| one.kind == ProblemKind::EpisodeList && one.row == Some(1)),
        "{problems:#?}"
    );

    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_integers(EPISODES, "length", |values| values[2] = 0);
    let problems = report(&copy).problems;
    assert!(problems.iter().any(|one| one.problem.contains("episode 2 has length 0")), "{problems:#?}");

    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_numbers(EPISODES, "videos/observation.images.front/to_timestamp", |values| values[0] += 1.0);
    found(
        &copy,
        ProblemKind::EpisodeRange,
        EPISODES,
        Some(0),
        Some(0),
        "ends at 2.3333 s, expected 1.3333 s",
    );

    let copy = Copy::of("lerobot_v21_video");
    let lines = fs::read_to_string(copy.path("meta/episodes.jsonl")).unwrap();
    fs::write(copy.path("meta/episodes.jsonl"), lines.lines().take(2).collect::<Vec<_>>().join("\n"))
        .unwrap();
    let problems = report(&copy).problems;
    assert!(problems.iter().any(|one| one.kind == ProblemKind::Count), "{problems:#?}");
    assert!(
        problems
            .iter()
            .any(|one| one.kind == ProblemKind::ExtraFile && one.file.ends_with("episode_000002.parquet")),
        "{problems:#?}"
    );
}

#[test]
fn numbers_of_rows() {
    for (column, row, value, kind, episode) in [
        ("frame_index", 45, 4, ProblemKind::FrameIndex, 1),
        ("index", 45, 46, ProblemKind::Index, 1),
        ("episode_index", 70, 1, ProblemKind::EpisodeIndex, 2),
        ("task_index", 3, 2, ProblemKind::UnknownTask, 0),
    ] {
        let copy = Copy::of("lerobot_v3_av1");
        copy.edit_integers(ROWS, column, |values| values[row] = value);
        let problems = report(&copy).problems;
        let problem = problems.iter().find(|one| one.kind == kind && one.episode == Some(episode));
        let problem = problem.unwrap_or_else(|| panic!("{column}: {problems:#?}"));
        assert_eq!((problem.file.to_str(), problem.row), (Some(ROWS), Some(row)), "{problem:#?}");
    }
    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_integers(ROWS, "frame_index", |values| values[50..60].iter_mut().for_each(|value| *value += 1));
    found(&copy, ProblemKind::FrameIndex, ROWS, Some(1), Some(50), "and in 9 more rows");
}

#[test]
fn rows_that_are_missing_or_too_many() {
    let copy = Copy::of("lerobot_v3_av1");
    copy.cut_rows(ROWS, 90);
    found(
        &copy,
        ProblemKind::EpisodeIndex,
        ROWS,
        Some(2),
        Some(90),
        "25 rows have its number, the list of episodes says 33",
    );

    let copy = Copy::of("lerobot_v3_two_cameras");
    copy.cut_rows("data/chunk-000/file-001.parquet", 0);
    found(
        &copy,
        ProblemKind::EpisodeIndex,
        "data/chunk-000/file-001.parquet",
        Some(1),
        None,
        "none of its 7 rows",
    );

    // The list is cut: what is left over belongs to nobody.
    let copy = Copy::of("lerobot_v3_av1");
    copy.cut_rows(EPISODES, 2);
    copy.edit_json(INFO, |info| {
        info["total_episodes"] = json!(2);
        info["total_frames"] = json!(65);
        info["splits"]["train"] = json!("0:2");
    });
    let problems = report(&copy).problems;
    let rows = problems.iter().find(|one| one.kind == ProblemKind::RowCount).unwrap();
    assert_eq!(
        (rows.row, rows.problem.as_str()),
        (Some(65), "33 of its 98 rows belong to no episode of the list")
    );
}

#[test]
fn stamps() {
    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_numbers(ROWS, "timestamp", |values| values[42] += 0.01);
    found(
        &copy,
        ProblemKind::Timestamp,
        ROWS,
        Some(1),
        Some(42),
        "frame 2 is stamped 0.0767 s, expected 0.0667 s",
    );

    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_numbers(ROWS, "timestamp", |values| values[42] = f64::NAN);
    found(&copy, ProblemKind::NotFinite, ROWS, Some(1), Some(42), "NaN");

    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_json(INFO, |info| {
        info["fps"] = json!(25);
        info["features"]["observation.images.front"]["info"]["video.fps"] = json!(25);
    });
    let problems = report(&copy).problems;
    let rates: Vec<_> = problems.iter().filter(|one| one.kind == ProblemKind::FrameRate).collect();
    assert_eq!(rates.len(), 6, "rows and pictures of each episode: {problems:#?}");
    assert!(
        rates[0].problem.contains("0.0333 s apart, 30.00 a second; meta/info.json says 25"),
        "{:?}",
        rates[0]
    );
    assert!(rates[3].problem.contains("30.00 pictures a second"), "{:?}", rates[3]);
}

#[test]
fn states_and_actions() {
    for (column, value) in [("observation.state", f32::NAN), ("action", f32::INFINITY)] {
        let copy = Copy::of("lerobot_v3_av1");
        copy.edit_vectors(ROWS, column, |values| values[45 * 6 + 2] = value);
        found(&copy, ProblemKind::NotFinite, ROWS, Some(1), Some(45), column);
    }
    // Seven numbers in every row, or five in one.
    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_column(ROWS, "action", |array| {
        let mut lists = FixedSizeListBuilder::new(Float32Builder::new(), 7);
        for _ in 0..array.len() {
            lists.values().append_slice(&[0.0; 7]);
            lists.append(true);
        }
        Arc::new(lists.finish())
    });
    found(
        &copy,
        ProblemKind::VectorLength,
        ROWS,
        Some(0),
        Some(0),
        "`action` has 7 numbers, expected 6 (and in 39 more rows)",
    );
    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_column(ROWS, "observation.state", |array| {
        let mut lists = ListBuilder::new(Float32Builder::new());
        for row in 0..array.len() {
            lists.values().append_slice(&[1.0; 6][..if row == 41 { 5 } else { 6 }]);
            lists.append(true);
        }
        Arc::new(lists.finish()) as ArrayRef
    });
    found(
        &copy,
        ProblemKind::VectorLength,
        ROWS,
        Some(1),
        Some(41),
        "`observation.state` has 5 numbers, expected 6",
    );
}

#[test]
fn tasks() {
    let copy = Copy::of("lerobot_v21_video");
    fs::write(copy.path("meta/tasks.jsonl"), "{\"task_index\": 0, \"task\": \"Pick up the red cube.\"}\n")
        .unwrap();
    let problems = report(&copy).problems;
    let unknown = problems.iter().find(|one| one.kind == ProblemKind::UnknownTask).unwrap();
    assert_eq!((unknown.episode, unknown.row), (Some(1), Some(0)), "{problems:#?}");

    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_integers(TASKS, "task_index", |values| values[1] = 0);
    let problems = report(&copy).problems;
    assert!(
        problems.iter().any(|one| one.kind == ProblemKind::TaskList && one.problem.contains("stands twice")),
        "{problems:#?}"
    );

    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_integers(ROWS, "task_index", |values| values[..40].fill(1));
    found(&copy, ProblemKind::TaskList, ROWS, Some(0), Some(0), "the list of episodes says");
}

#[test]
fn videos() {
    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_json(INFO, |info| info["features"]["observation.images.front"]["shape"] = json!([96, 128, 3]));
    found(
        &copy,
        ProblemKind::PictureSize,
        VIDEO,
        Some(0),
        None,
        "pictures are 96x96, meta/info.json says 128x96",
    );

    // Another episode's video, two frames shorter.
    let copy = Copy::of("lerobot_v21_video");
    let folder = "videos/chunk-000/observation.images.front";
    fs::copy(
        copy.path(&format!("{folder}/episode_000001.mp4")),
        copy.path(&format!("{folder}/episode_000002.mp4")),
    )
    .unwrap();
    found(
        &copy,
        ProblemKind::VideoLength,
        &format!("{folder}/episode_000002.mp4"),
        Some(2),
        None,
        "ends at 0.2000 s, the episode's last frame is at 0.2667 s: 2 of its 9 pictures are missing",
    );

    let place = "videos/observation.images.front/from_timestamp";
    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_numbers(EPISODES, place, |values| values[1] += 0.01);
    let problems = report(&copy).problems;
    assert!(
        problems.iter().any(|one| one.kind == ProblemKind::VideoTimes && one.episode == Some(1)),
        "{problems:#?}"
    );

    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_numbers(EPISODES, place, |values| values[1] = values[0]);
    let problems = report(&copy).problems;
    assert!(problems.iter().any(|one| one.problem.contains("inside episode 0")), "{problems:#?}");
}

#[test]
fn stored_pictures() {
    let copy = Copy::of("lerobot_v3_images");
    copy.edit_json(INFO, |info| info["features"]["observation.images.wrist"]["shape"] = json!([48, 64, 3]));
    found(&copy, ProblemKind::PictureSize, ROWS, Some(0), Some(0), "is 48x64, meta/info.json says 64x48");
}

fn decoded(copy: &Copy) -> CheckReport {
    check(copy.root(), CheckOptions { decode_pictures: true }, &mut |_| {}).unwrap()
}

#[test]
fn pictures_that_cannot_be_decoded() {
    for name in ["lerobot_v3_av1", "lerobot_v3_h264"] {
        let copy = Copy::of(name);
        let mut bytes = fs::read(copy.path(VIDEO)).unwrap();
        let end = bytes.len();
        bytes[end / 2..end - 200].fill(0);
        fs::write(copy.path(VIDEO), bytes).unwrap();
        let decoded = decoded(&copy);
        let picture = decoded.problems.iter().find(|one| one.kind == ProblemKind::Picture);
        assert!(picture.is_some_and(|one| one.episode.is_some()), "{name}: {:#?}", decoded.problems);
    }
}

/// An episode of 40 frames whose pictures are all the first one, while the arm moves by tens of degrees.
#[test]
fn a_frozen_camera_is_seen() {
    use arrow_array::StructArray;
    use arrow_array::builder::{BinaryBuilder, StringBuilder};
    use arrow_array::cast::AsArray;

    let copy = Copy::of("lerobot_v3_images");
    copy.edit_column(ROWS, "observation.images.front", |array| {
        let pictures = array.as_struct();
        let first = pictures.column_by_name("bytes").unwrap().as_binary::<i32>().value(0).to_vec();
        let (mut bytes, mut paths) = (BinaryBuilder::new(), StringBuilder::new());
        for _ in 0..array.len() {
            bytes.append_value(&first);
            paths.append_null();
        }
        let columns: Vec<ArrayRef> = vec![Arc::new(bytes.finish()), Arc::new(paths.finish())];
        Arc::new(StructArray::new(pictures.fields().clone(), columns, None))
    });
    // At 30 frames a second 12 frames are too few to call a camera frozen; at 10 they are 1.1 s.
    assert_eq!(decoded(&copy).problems, []);
    copy.edit_json(INFO, |info| info["fps"] = json!(10));
    copy.edit_numbers(ROWS, "timestamp", |values| values.iter_mut().for_each(|value| *value *= 3.0));
    let problems = decoded(&copy).problems;
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert_eq!((problems[0].kind, problems[0].episode), (ProblemKind::FrozenPicture, Some(0)));
    assert!(problems[0].problem.contains("from frame 0 to 10"), "{problems:#?}");
}

#[test]
fn statistics() {
    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_json("meta/stats.json", |stats| stats["action"]["min"][2] = json!(-40.0));
    found(
        &copy,
        ProblemKind::Statistics,
        "meta/stats.json",
        None,
        None,
        "min of `action`, elbow, is -40.000, the rows say -71.976",
    );

    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_json("meta/stats.json", |stats| stats["action"]["count"][0] = json!(97));
    found(&copy, ProblemKind::Statistics, "meta/stats.json", None, None, "counts 97 rows, there are 98");

    let copy = Copy::of("lerobot_v21_images");
    let path = copy.path("meta/episodes_stats.jsonl");
    let lines = fs::read_to_string(&path).unwrap();
    fs::write(&path, lines.lines().take(2).collect::<Vec<_>>().join("\n")).unwrap();
    found(&copy, ProblemKind::Statistics, "meta/episodes_stats.jsonl", Some(2), None, "no line");

    let copy = Copy::of("lerobot_v3_av1");
    fs::remove_file(copy.path("meta/stats.json")).unwrap();
    found(&copy, ProblemKind::MissingFile, "meta/stats.json", None, None, "missing");
}
