//! The verbs as a user calls them: exit codes, words, the one object of `--json`; and kills in the middle of writing.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use roarm::episode::{CheckOptions, Dataset, ProblemKind, check};
use serde_json::{Value, json};

use crate::copy::{Copy, INFO, data};

fn roarm(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_roarm")).arg("dataset").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn last_object(output: &Output) -> Value {
    serde_json::from_str(text(&output.stdout).lines().last().unwrap()).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn info_tells_what_is_there() {
    let output = roarm(&["info", path(&data("lerobot_v21_video"))]);
    let page = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for part in [
        "v2.1",
        "roarm_m3",
        "3, 28 frames at 30",
        "observation.images.wrist 48x64, video",
        "Open the gripper. (1 episodes, 7 frames)",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let object = last_object(&roarm(&["info", path(&data("lerobot_v3_images")), "--json"]));
    assert_eq!(
        (&object["ok"], &object["frames"], &object["cameras"][0]["storage"]),
        (&json!(true), &json!(28), &json!("images"))
    );
    let output = roarm(&["info", "/nowhere"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("/nowhere is no folder"), "{}", text(&output.stderr));
}

#[test]
fn check_ends_with_1_when_something_is_wrong() {
    let output = roarm(&["check", path(&data("lerobot_v3_av1"))]);
    let page = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{page}");
    assert!(
        page.contains("firmware g1 cannot execute elbow < -45") && page.contains("ok: 3 episodes, 98 frames"),
        "{page}"
    );
    let copy = Copy::of("lerobot_v3_av1");
    copy.edit_json(INFO, |info| info["total_frames"] = json!(7));
    let output = roarm(&["check", path(&copy.root()), "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let object = last_object(&output);
    let keys: Vec<&String> = object.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["ok", "episodes", "frames", "problems", "unreachable"]);
    assert_eq!((&object["ok"], &object["problems"][0]["kind"]), (&json!(false), &json!("count")));
    assert!(text(&output.stderr).contains("fix: "), "{}", text(&output.stderr));
    assert_eq!(roarm(&["check", "/nowhere"]).status.code(), Some(2));
}

#[test]
fn export_takes_the_episodes_that_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new");
    let from = data("lerobot_v21_video");
    let output =
        roarm(&["export", path(&from), "--episodes", "2,0", "--out", path(&out), "--images", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        last_object(&output),
        json!({"ok": true, "out": out, "episodes": 2, "frames": 21, "dropped": [1], "dry_run": false})
    );
    let dataset = Dataset::open(&out).unwrap();
    assert_eq!((dataset.version(), dataset.episode_length(0).unwrap()), ("v3.0", 9));
    let again = roarm(&["export", path(&from), "--out", path(&out)]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("name a new folder"), "{}", text(&again.stderr));
    let wrong = roarm(&["export", path(&from), "--episodes", "3", "--out", "/nowhere/new"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("no episode of 0 to 2"), "{}", text(&wrong.stderr));
    let dry = folder.path().join("dry");
    let output = roarm(&["export", path(&from), "--episodes", "0-1", "--out", path(&dry), "--dry-run"]);
    assert!(
        text(&output.stdout).contains("would write 2 episodes, 19 frames") && !dry.exists(),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn repair_says_what_it_leaves_out() {
    let copy = Copy::of("lerobot_v21_images");
    fs::remove_file(copy.path("data/chunk-000/episode_000001.parquet")).unwrap();
    let out = copy.beside("new");
    let dry = roarm(&["repair", path(&copy.root()), "--out", path(&out), "--dry-run", "--json"]);
    assert_eq!(dry.status.code(), Some(0));
    assert_eq!((&last_object(&dry)["frames"], out.exists()), (&json!(21), false));
    let output = roarm(&["repair", path(&copy.root()), "--out", path(&out), "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("2 episodes are kept, 1 left out: [1]"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(last_object(&output)["dropped"], json!([1]));
    assert!(check(&out, CheckOptions::default(), &mut |_| {}).unwrap().ok);
}

/// Kills in a series; `ROARM_EXPORT_KILLS` asks for more.
fn kills() -> u64 {
    std::env::var("ROARM_EXPORT_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(25)
}

#[test]
fn a_killed_export_leaves_whole_episodes_only() {
    let from = data("lerobot_v3_two_cameras");
    let folder = tempfile::tempdir().unwrap();
    let export = |out: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_roarm"));
        command.args(["dataset", "export", path(&from), "--video", "--out", path(out)]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        command.spawn().unwrap()
    };
    let started = std::time::Instant::now();
    assert!(export(&folder.path().join("whole")).wait().unwrap().success());
    let whole = started.elapsed();
    let mut seen = [0; 4];
    for kill in 0..kills() {
        let out = folder.path().join(format!("killed{kill}"));
        let mut child = export(&out);
        // Moments spread over the time that it takes.
        std::thread::sleep(Duration::from_nanos((whole.as_nanos() as u64 / 97) * (kill * 37 % 97)));
        child.kill().unwrap();
        child.wait().unwrap();
        if !out.join("meta").exists() {
            seen[0] += 1;
            continue;
        }
        let report = check(&out, CheckOptions { decode_pictures: true }, &mut |_| {}).unwrap();
        // Files of an episode that was about to be closed may lie there; nothing refers to them.
        assert!(
            report.problems.iter().all(|one| one.kind == ProblemKind::ExtraFile),
            "{:#?}",
            report.problems
        );
        let dataset = Dataset::open(&out).unwrap();
        assert_eq!(dataset.episode_count(), report.episodes);
        seen[report.episodes] += 1;
    }
    let output = format!("killed with 0, 1, 2, 3 episodes closed: {seen:?}");
    assert_eq!(seen.iter().sum::<u64>(), kills(), "{output}");
}
