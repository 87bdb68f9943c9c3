//! Runs of the real program that become a dataset.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use roarm::control::Phase;
use roarm::episode::Dataset;
use roarm::episode::run_log::{ControlRecord, Record, RunLogReader};
use roarm::types::{DatasetAngles, JointAngles};

use crate::attempt::Attempt;
use crate::run_log::only_log;
use crate::support::port::VirtualArm;
use crate::support::program::roarm;

/// A run with all pictures recorded, into a folder of its own.
fn run(folder: &Path, seconds: &str, more: &[&str], code: i32) -> PathBuf {
    let arm = VirtualArm::start("g1");
    let logs = folder.display().to_string();
    let flags = ["--duration", seconds, "--log-frames", "all", "--log", &logs];
    Attempt::at(&arm.port()).patient().with(&flags).with(more).run().assert_code(code);
    arm.end();
    only_log(folder)
}

/// All ticks of a log, and the pixels of its pictures by number.
fn held(log: &Path) -> (Vec<ControlRecord>, HashMap<u64, Vec<u8>>) {
    let (mut ticks, mut pictures) = (Vec::new(), HashMap::new());
    let mut reader = RunLogReader::open(log).unwrap();
    while let Some(record) = reader.next_record().unwrap() {
        match record {
            Record::Control(record) => ticks.push(*record),
            Record::Frame(frame) => drop(pictures.insert(frame.metadata.id, frame.pixels)),
            _ => {}
        }
    }
    (ticks, pictures)
}

/// Degrees as a dataset stores them.
fn stored(angles: JointAngles) -> DatasetAngles {
    DatasetAngles::from(angles).map(|angle| f64::from(angle as f32))
}

#[test]
fn a_run_and_a_failed_one_become_datasets_that_hold_what_the_logs_hold() {
    let folder = tempfile::tempdir().unwrap();
    let [good, failed] = ["good", "failed"].map(|name| folder.path().join(name));
    let good = run(&good, "2", &[], 0);
    let failed = run(&failed, "8", &["--inject", "policy.nan@1s"], 4);
    let [out, failed_out] = ["set", "failed-set"].map(|name| folder.path().join(name).display().to_string());
    let arguments =
        ["dataset", "export", good.to_str().unwrap(), failed.to_str().unwrap(), "--images", "--json"];
    let dry = roarm(arguments.iter().chain(&["--out", &out, "--dry-run"]));
    assert_eq!(dry.assert_code(0).json()["episodes"], 1, "{dry}");
    assert!(!Path::new(&out).exists());
    let ended = roarm(arguments.iter().chain(&["--out", &out, "--failed", &failed_out]));
    let told = ended.assert_code(0).json();
    assert_eq!((&told["ok"], &told["episodes"]), (&true.into(), &1.into()), "{ended}");
    let aside = &told["set_aside"][0];
    assert!(aside["reason"].as_str().unwrap().contains("chunks in a row were rejected"), "{ended}");
    assert_eq!((&aside["kept"], &aside["log"]), (&true.into(), &failed.to_str().unwrap().into()), "{ended}");
    for dataset in [&out, &failed_out] {
        let checked = roarm(["dataset", "check", dataset, "--pictures", "--json"]);
        let problems = checked.json()["problems"].clone();
        // The recorded camera of this run ends on its last picture.
        assert!(
            problems.as_array().unwrap().iter().all(|problem| problem["kind"] == "frozen-picture"),
            "{checked}"
        );
    }
    same_as_log(&out, &good);
}

fn same_as_log(dataset: &str, log: &Path) {
    let dataset = Dataset::open(dataset).unwrap();
    let episode = dataset.episode(0).unwrap();
    let mut shown = dataset.pictures(0, None).unwrap();
    let (ticks, pictures) = held(log);
    let first = ticks.iter().position(|tick| tick.phase == Phase::Running).unwrap();
    let running = ticks[first..].iter().take_while(|tick| tick.phase == Phase::Running).count();
    assert!(episode.states.len() > 30, "{}", episode.states.len());
    assert_eq!(episode.task, "Open the gripper.");
    for frame in 0..episode.states.len() {
        let due = ticks[first].now + Duration::from_secs_f64(frame as f64 / dataset.fps());
        let nearest = (first..first + running).min_by_key(|place| ticks[*place].now.distance(due)).unwrap();
        let known = || ticks[..=nearest].iter().rev();
        let measured = known().find_map(|tick| tick.feedback).unwrap().angles;
        let commanded = known().find_map(|tick| tick.command).map_or(measured, |command| command.goal);
        assert_eq!(episode.states[frame], stored(measured), "state of frame {frame}");
        assert_eq!(episode.actions[frame], stored(commanded), "action of frame {frame}");
        let mut pixels = vec![0; shown.frame_bytes()];
        shown.read(frame, &mut pixels).unwrap();
        let newest = ticks[nearest].frames[0].unwrap().id;
        // A picture that was dropped on a busy machine: the one before it.
        let logged = (0..=newest).rev().find_map(|number| pictures.get(&number)).unwrap();
        assert!(pixels == *logged, "frame {frame} does not show picture {newest}");
    }
}

#[test]
fn logs_without_a_sound_episode_are_told_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    let arm = VirtualArm::start("g1");
    let flag = logs.display().to_string();
    // The pictures of the policy alone make no film.
    Attempt::at(&arm.port()).patient().with(&["--duration", "2", "--log", &flag]).run().assert_code(0);
    arm.end();
    let (log, out) = (only_log(&logs).display().to_string(), folder.path().join("set").display().to_string());
    let ended = roarm(["dataset", "export", &log, "--out", &out]);
    ended.assert_error(3, &["no episode of them is sound", "--log-frames all"]);
    assert!(!Path::new(&out).exists());
    let set = folder.path().display().to_string();
    roarm(["dataset", "export", &log, &set, "--out", &out]).assert_error(2, &["one dataset's folder"]);
    roarm(["dataset", "export", &log, "--out", &out, "--episodes", "0"]).assert_error(2, &["--episodes"]);
    roarm(["dataset", "export", &log, "--out", &out, "--fps", "0"]).assert_error(2, &["--fps 0"]);
    roarm(["dataset", "export", "no.mcap", "--out", &out]).assert_error(2, &["no.mcap", "check the path"]);
}
