//! A file system that really fills up: a small one in memory, which only the program and this test's shell see.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use roarm::episode::Dataset;

use crate::attempt::Attempt;
use crate::record_teach;
use crate::run_log::{assert_only_the_log_stopped, only_log};
use crate::support::onnxruntime;
use crate::support::port::VirtualArm;
use crate::support::program::{Ended, roarm};

/// Runs `roarm ARGUMENTS` with a file system of `kib` KiB at `disk`. What is on it in the end is copied to `kept`: it goes away with
/// the shell.
fn on_a_small_disk<S: AsRef<OsStr>>(
    disk: &Path,
    kib: u32,
    kept: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Ended {
    const SCRIPT: &str = r#"
        mount -t tmpfs -o "size=$1k" tmpfs "$2" || exit 99
        disk=$2 kept=$3
        shift 3
        "$@"
        code=$?
        cp -a "$disk/." "$kept" || exit 98
        exit "$code"
    "#;
    for folder in [disk, kept] {
        std::fs::create_dir(folder).unwrap();
    }
    // A user and mount namespace of its own: mounting needs no more privilege than the system gives to everybody for that.
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh"])
        .arg(kib.to_string())
        .args([disk, kept])
        .arg(env!("CARGO_BIN_EXE_roarm"))
        .args(arguments)
        .env("ORT_DYLIB_PATH", onnxruntime())
        .stdin(Stdio::null())
        .output()
        .expect("util-linux is installed");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let ended =
        Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
    assert!(!matches!(ended.code, Some(98 | 99)), "no file system of its own: {ended}");
    ended
}

#[test]
#[ignore = "mounts a file system: `cargo xtask test-full`, part small-disk"]
fn a_run_goes_on_when_its_log_fills_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let [disk, kept] = ["disk", "kept"].map(|name| folder.path().join(name));
    let arm = VirtualArm::start("g1");
    let logs = disk.display().to_string();
    let flags = ["--duration", "6", "--log-frames", "all", "--log", &logs];
    let attempt = Attempt::at(&arm.port()).patient().with(&flags);
    let ended = on_a_small_disk(&disk, 300, &kept, attempt.arguments());
    assert_only_the_log_stopped(&ended, &only_log(&kept), &["No space left", "make room on the disk"]);
    arm.end();
}

#[test]
#[ignore = "mounts a file system: `cargo xtask test-full`, part small-disk"]
fn a_recording_stops_loudly_when_the_disk_is_full_and_closed_episodes_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let [disk, kept] = ["disk", "kept"].map(|name| folder.path().join(name));
    let arm = record_teach::held_arm("g1");
    let flags = ["--yes", "--episodes", "40", "--episode-time", "1"];
    let arguments = record_teach::arguments(&arm.port(), &disk.join("set"), &flags);
    let ended = on_a_small_disk(&disk, 500, &kept, arguments);
    let told = ended.json();
    let whole = told["episodes"].as_u64().unwrap();
    assert!(ended.code != Some(0) && told["ok"] == false, "{ended}");
    assert!((2..40).contains(&whole), "{whole} episodes before the disk was full: {ended}");
    assert!(ended.stderr.contains("No space left") && ended.stderr.contains("disk"), "{ended}");
    assert!(ended.stderr.contains("torque is on: the arm holds where it stands"), "{ended}");
    let log = arm.end();
    assert_eq!(log.kinds.last(), Some(&210), "the last thing that the board was told is to hold");
    let dataset = Dataset::open(kept.join("set")).unwrap();
    assert_eq!(dataset.episode_count() as u64, whole);
    for episode in 0..dataset.episode_count() {
        record_teach::actions_are_the_next_states(&dataset, episode);
    }
    let checked = roarm([
        OsStr::new("dataset"),
        OsStr::new("check"),
        kept.join("set").as_os_str(),
        OsStr::new("--json"),
    ]);
    let problems = checked.json()["problems"].clone();
    assert!(problems.as_array().unwrap().iter().all(|problem| problem["kind"] == "extra-file"), "{checked}");
}
