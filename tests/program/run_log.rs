//! Run logs of the real program: what they hold, what is left of them after a kill, and what a full disk does.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use roarm::episode::run_log::{Record, RunLogReader};
use rustix::process::{Resource, Rlimit, Signal, setrlimit};

use crate::attempt::{Attempt, refused};
use crate::support::port::VirtualArm;
use crate::support::program::{Ended, Program, roarm};
use crate::support::{onnxruntime, repository};

/// The only log in a folder.
pub(crate) fn only_log(folder: &Path) -> PathBuf {
    let logs: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(logs.len(), 1, "{logs:?}");
    logs[0].clone()
}

fn info(log: &Path) -> serde_json::Value {
    let ended = roarm(["log", "info", "--json", &log.display().to_string()]);
    ended.assert_code(0).json()
}

/// `roarm demo` with a log in `folder`.
fn demo(folder: &Path, more: &[&str]) -> Program {
    let folder = folder.display().to_string();
    let flags = ["demo", "--policy", "models/smolvla-tiny", "--json", "--log", &folder];
    Program::start_in(&repository(""), flags.iter().chain(more))
}

#[test]
fn a_run_is_recorded_whole() {
    let folder = tempfile::tempdir().unwrap();
    let arm = VirtualArm::start("g1");
    let logs = folder.path().join("logs");
    let logs_flag = logs.display().to_string();
    let ended = Attempt::at(&arm.port()).patient().with(&["--duration", "3", "--log", &logs_flag]).run();
    let summary = ended.assert_code(0).summary();
    arm.end();
    let log = only_log(&logs);
    assert_eq!(summary["run_log"]["file"], log.display().to_string());
    assert_eq!(summary["run_log"]["replayable"], true, "{summary}");
    let info = info(&log);
    for flag in ["ok", "complete", "replayable"] {
        assert_eq!(info[flag], true, "{flag}: {info}");
    }
    assert_eq!((&info["ticks"], &info["ended"]), (&summary["ticks"], &summary["ended"]));
    assert_eq!((&info["chunks"], &info["policy_frames_missing"]), (&info["observations"], &0.into()));
    assert!(info["chunks"].as_u64() >= Some(1) && info["cameras"][0]["frames"].as_u64() >= Some(1), "{info}");
    let hashes: Vec<&str> =
        info["hashes"].as_array().unwrap().iter().map(|hash| hash["of"].as_str().unwrap()).collect();
    assert_eq!(hashes, ["program", "onnxruntime", "bundle"]);
    assert!(
        info["hashes"].as_array().unwrap().iter().all(|hash| hash["sha256"].as_str().unwrap().len() == 64)
    );
    let page = roarm(["log", "info", &log.display().to_string()]);
    page.assert_code(0);
    assert!(page.stdout.contains("replayable   yes"), "{page}");
    played_again(&log);
    // The settings that are not the defaults stand in it word by word.
    let run = RunLogReader::open(&log).unwrap().run().clone();
    let patient = std::fs::read_to_string(repository("tests/program/patient.toml")).unwrap();
    assert_eq!(run.configuration, patient);
    assert!(run.parameters.duration == Some(Duration::from_secs(3)) && run.firmware.contains('1'), "{run:?}");
}

/// Core and policy give what they gave: with their own threads, the arm's own timing and inference beside it.
fn played_again(log: &Path) {
    let log = log.display().to_string();
    let ended = roarm(["replay", "--log", &log, "--json"]);
    let report = ended.assert_code(0).json();
    assert_eq!((&report["ok"], &report["identical"]), (&true.into(), &true.into()), "{ended}");
    assert_eq!(
        (&report["chunks_without_pictures"], &report["difference"]),
        (&0.into(), &().into()),
        "{ended}"
    );
    assert!(report["chunks"].as_u64() >= Some(1) && report["commands"].as_u64() > Some(20), "{ended}");
    let core = roarm(["replay", "--log", &log, "--core-only"]);
    assert!(core.assert_code(0).stdout.contains("the policy was left out"), "{core}");
}

/// What a kill left behind.
struct Killed {
    /// CLOCK_MONOTONIC when the signal was sent, ns.
    at: u64,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

/// Kills a recording run `delay` after its log was begun and the arm had answered.
fn killed(delay: Duration) -> Killed {
    let folder = tempfile::tempdir().unwrap();
    let mut program = demo(folder.path(), &["--duration", "60", "--log-frames", "all"]);
    program.wait_until_said("recording to ");
    program.wait_until_said("settling ");
    std::thread::sleep(delay);
    let at = roarm::runtime::now().as_nanos();
    program.signal(Signal::KILL);
    assert_eq!(program.finish().code, None, "killed, not ended");
    Killed { at, log: only_log(folder.path()), _folder: folder }
}

/// All records up to 1.2 s before the kill are there, without a gap.
fn judge(killed: &Killed) -> u64 {
    let mut reader = RunLogReader::open(&killed.log).unwrap_or_else(|error| panic!("{error}"));
    let (mut last, mut last_ns) = (0, reader.run().start.as_nanos());
    while let Some(record) = reader.next_record().unwrap() {
        match record {
            Record::Control(record) => {
                assert_eq!(record.tick, last + 1, "no tick is missing before the last");
                (last, last_ns) = (record.tick, record.now.as_nanos());
            }
            Record::End(end) => panic!("a killed run has no end: {end:?}"),
            _ => {}
        }
    }
    let state = reader.state();
    assert!(state.damage.is_empty() && state.cut.is_some(), "{state:?}");
    let missing_ms = killed.at.saturating_sub(last_ns) / 1_000_000;
    assert!(missing_ms <= 1_200, "the last {missing_ms} ms before the kill are missing");
    last
}

/// Runs that are killed at seeded moments up to four seconds after control began, `at_once` at a time.
fn kill_series(kills: usize, at_once: usize) -> u64 {
    let next = AtomicUsize::new(0);
    let ticks = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(number) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < kills)
                {
                    // A number's own place in 4096 ms: the same in every run, spread over all of them.
                    let delay = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52;
                    let killed = killed(Duration::from_millis(delay));
                    *ticks.lock().unwrap() += judge(&killed);
                    if number == 0 {
                        repaired(&killed.log);
                    }
                }
            });
        }
    });
    ticks.into_inner().unwrap()
}

/// What is left of a killed run becomes a whole file that says what it is.
fn repaired(log: &Path) {
    let before = info(log);
    assert_eq!((&before["complete"], &before["replayable"]), (&false.into(), &false.into()));
    let out = log.with_file_name("repaired.mcap");
    let (log, out) = (log.display().to_string(), out.display().to_string());
    let report = roarm(["log", "repair", &log, "--out", &out, "--json"]);
    assert_eq!(report.assert_code(0).json()["ok"], true);
    let after = info(Path::new(&out));
    assert_eq!((&after["ticks"], &after["complete"]), (&before["ticks"], &false.into()));
    assert_eq!(after["bytes"], after["verified_bytes"], "{after}");
    assert!(after["problems"][0].as_str().unwrap().contains("cut"), "{after}");
    roarm(["log", "repair", &log, "--out", &out]).assert_error(2, &["never overwritten"]);
}

#[test]
fn a_killed_run_leaves_a_log_that_lacks_a_second_at_most() {
    let ticks = kill_series(25, 2);
    assert!(ticks > 25 * 20, "the runs had time to tick: {ticks}");
}

/// For the longer tiers: `cargo test -p roarm --test program -- --ignored run_log`.
#[test]
#[ignore = "takes an hour: part of `cargo xtask soak`"]
fn a_thousand_killed_runs() {
    kill_series(1_000, 2);
}

/// The log stopped, the run did not.
#[track_caller]
pub(crate) fn assert_only_the_log_stopped(ended: &Ended, log: &Path, words: &[&str]) {
    ended.assert_code(1);
    let summary = ended.summary();
    let text = summary["ended"].as_str().unwrap();
    assert!(text.starts_with("duration reached; the run log stopped after"), "{text}");
    assert_eq!(summary["ok"], false);
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
    assert_eq!(ended.stderr.matches("error: the run log").count(), 1, "told once: {ended}");
    assert_eq!(summary["run_log"]["replayable"], false);
    let info = info(log);
    assert_eq!(info["replayable"], false);
    let (recorded, ticked) = (info["ticks"].as_u64().unwrap(), summary["ticks"].as_u64().unwrap());
    assert!(recorded > 20 && recorded < ticked, "{recorded} of {ticked} ticks: {info}");
}

#[test]
fn on_a_full_disk_the_run_goes_on_and_the_log_stops_loudly() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().display().to_string();
    let arm = VirtualArm::start("g1");
    let flags = ["--duration", "4", "--inject", "disk.full@1s", "--log", &logs];
    let ended = Attempt::at(&arm.port()).patient().with(&flags).run();
    assert_only_the_log_stopped(
        &ended,
        &only_log(folder.path()),
        &["No space left", "make room on the disk"],
    );
    arm.end();
}

/// The kernel itself refuses the write, in the middle of a chunk.
#[test]
#[expect(unsafe_code, reason = "the limit is set between fork and exec")]
fn at_the_limit_on_file_sizes_the_run_goes_on_too() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("run.mcap");
    let arm = VirtualArm::start("g1");
    let flag = log.display().to_string();
    let flags = ["--duration", "4", "--log-frames", "all", "--log", &flag];
    let mut command = Command::new(env!("CARGO_BIN_EXE_roarm"));
    command.args(Attempt::at(&arm.port()).patient().with(&flags).arguments());
    command.current_dir(folder.path()).env("ORT_DYLIB_PATH", onnxruntime());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let limit = || {
        // Ignored signals stay ignored across exec: writes fail with EFBIG then.
        // SAFETY: it installs no handler.
        unsafe { nix::sys::signal::signal(nix::sys::signal::SIGXFSZ, nix::sys::signal::SigHandler::SigIgn) }?;
        let bytes = Some(400_001);
        Ok(setrlimit(Resource::Fsize, Rlimit { current: bytes, maximum: bytes })?)
    };
    // SAFETY: both calls are plain system calls, allowed between fork and exec; nothing is allocated or locked.
    let child = unsafe { command.pre_exec(limit) }.spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    let ended = Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    arm.end();
    assert_only_the_log_stopped(&ended, &log, &["File too large", "ulimit -f"]);
    assert_eq!(std::fs::metadata(&log).unwrap().len(), 400_001, "the chunk was cut in its middle");
}

#[test]
fn a_log_that_cannot_be_made_is_told_before_the_port_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken.mcap");
    std::fs::write(&taken, "mine").unwrap();
    let flag = taken.display().to_string();
    refused(2, &["taken.mcap", "never overwritten"], |attempt| {
        attempt.more.extend(["--log".to_owned(), flag]);
    });
    assert_eq!(std::fs::read(&taken).unwrap(), b"mine");
    refused(2, &["disk.full", "add --log"], |attempt| {
        attempt.more.extend(["--inject", "disk.full@1s"].map(str::to_owned));
    });
}

#[test]
fn a_log_becomes_a_page_for_the_browser_with_all_series() {
    let folder = tempfile::tempdir().unwrap();
    let arm = VirtualArm::start("g1");
    let flag = folder.path().join("logs").display().to_string();
    Attempt::at(&arm.port()).patient().with(&["--duration", "2", "--log", &flag]).run().assert_code(0);
    arm.end();
    let log = only_log(Path::new(&flag)).display().to_string();
    let out = folder.path().join("run.html");
    let flag = out.display().to_string();
    let ended = roarm(["log", "view", &log, "--out", &flag, "--json"]);
    let told = ended.assert_code(0).json();
    let page = std::fs::read_to_string(&out).unwrap();
    assert_eq!((&told["ok"], told["bytes"].as_u64()), (&true.into(), Some(page.len() as u64)));
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    all_series_are_in(&page);
    roarm(["log", "view", &log, "--out", &flag]).assert_error(2, &["run.html", "never overwritten"]);
    roarm(["log", "view", "no.mcap", "--out", "b.html"]).assert_error(2, &["no.mcap", "check the path"]);
}

fn all_series_are_in(page: &str) {
    let (_, rest) = page.split_once("id=\"data\">").unwrap();
    let data: serde_json::Value = serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap();
    let list = |value: &serde_json::Value| value.as_array().unwrap().clone();
    let ticks = list(&data["t"]).len();
    assert!(ticks > 100, "{ticks}");
    for name in ["measured_deg", "commanded_deg"] {
        assert_eq!(list(&data[name]).len(), 6);
        for joint in list(&data[name]) {
            assert!(
                list(&joint).len() == ticks && list(&joint).iter().any(serde_json::Value::is_number),
                "{name}"
            );
        }
    }
    assert_eq!(list(&data["feedback_age_ms"]).len(), ticks);
    assert_eq!(list(&data["cameras"]).len(), 1);
    assert_eq!(list(&data["cameras"][0]["frame_age_ms"]).len(), ticks);
    let chunks = list(&data["chunks"]);
    assert!(chunks.iter().any(|chunk| chunk["arrived"].is_number()), "a seam");
    assert!(chunks.iter().all(|chunk| list(&chunk["z"]).len() == 50 && list(&chunk["stages_ms"]).len() == 5));
    let phases: Vec<_> =
        list(&data["phases"]).iter().map(|band| band["name"].as_str().unwrap().to_owned()).collect();
    for phase in ["settling", "running", "ended"] {
        assert!(phases.iter().any(|name| name == phase), "{phase}: {phases:?}");
    }
    assert_eq!(list(&data["phases"]).last().unwrap()["cause"], "duration reached");
    assert!(list(&data["events"]).len() > 2);
}

#[test]
fn what_is_no_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.mcap");
    let path = file.display().to_string();
    roarm(["log", "info", &path]).assert_error(2, &["a.mcap", "check the path"]);
    std::fs::write(&file, "no log").unwrap();
    for arguments in [vec!["log", "info", &path, "--json"], vec!["log", "repair", &path, "--out", "b.mcap"]] {
        roarm(arguments).assert_error(2, &["no run log of roarm", "roarm run --log"]);
    }
    std::fs::write(&file, mcap::MAGIC).unwrap();
    roarm(["log", "info", &path]).assert_error(1, &["nothing can be recovered"]);
}
