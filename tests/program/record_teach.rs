//! `roarm record --teach` with the real program on a pseudo-terminal.

use std::path::Path;
use std::time::Duration;

use roarm::episode::Dataset;
use rustix::process::Signal;

use crate::attempt::recorded_camera;
use crate::support::port::{SilentPort, VirtualArm};
use crate::support::program::{Program, roarm};
use crate::support::repository;
use crate::terminal_keys::OnTerminal;

pub(crate) fn arguments(port: &Path, out: &Path, more: &[&str]) -> Vec<String> {
    let camera = format!("front={}", recorded_camera(""));
    let config = repository("tests/program/patient.toml").display().to_string();
    let [port, out] = [port, out].map(|path| path.display().to_string());
    let fixed = [
        "record",
        "--teach",
        "--arm",
        &port,
        "--camera",
        &camera,
        "--task",
        "Open the gripper.",
        "--out",
        &out,
    ];
    // Ten frames a second: a machine that is busy with other tests keeps up with that.
    let usual =
        ["--fps", "10", "--warmup-time", "0", "--reset-time", "0", "--images", "--json", "--config", &config];
    fixed.iter().chain(&usual).chain(more).map(|part| (*part).to_owned()).collect()
}

/// An arm whose upper joints somebody holds: a limp one that nobody holds falls to where the firmware cannot hold it.
pub(crate) fn held_arm(firmware: &str) -> VirtualArm {
    VirtualArm::start_with(firmware, &["--fault", "stuck-joint=shoulder,stuck-joint=elbow"])
}

/// What a dataset of teaching has to be: the next pose is the action, and the last one stays.
pub(crate) fn actions_are_the_next_states(dataset: &Dataset, episode: usize) {
    let episode = dataset.episode(episode).unwrap();
    let (states, actions) = (&episode.states, &episode.actions);
    assert_eq!(actions[..actions.len() - 1], states[1..]);
    assert_eq!(actions.last(), states.last());
    assert_eq!(episode.task, "Open the gripper.");
}

#[test]
fn episodes_of_a_limp_arm_become_a_dataset_and_the_arm_holds_again() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("set");
    let arm = held_arm("g1");
    let flags = ["--yes", "--episodes", "2", "--episode-time", "2"];
    let ended = roarm(arguments(&arm.port(), &out, &flags));
    let told = ended.assert_code(0).json();
    assert_eq!((&told["ok"], &told["episodes"]), (&true.into(), &2.into()), "{ended}");
    let log = arm.end();
    // Nothing but this is ever sent: greeting, torque off, the goal at the measured pose, torque on.
    let kinds: Vec<u64> = log.kinds.iter().copied().filter(|kind| ![605, 301].contains(kind)).collect();
    assert_eq!(kinds, [210, 102, 210]);
    let held = log.poses.last().unwrap();
    let goal = log.commands[0].goal;
    assert!(held.max_difference(&goal) < 0.15, "it holds where it stood: {held:?} {goal:?}");
    let dataset = Dataset::open(&out).unwrap();
    assert_eq!((dataset.fps(), dataset.episode_count()), (10.0, 2));
    for episode in 0..2 {
        actions_are_the_next_states(&dataset, episode);
    }
    let checked = roarm(["dataset", "check", out.to_str().unwrap(), "--json"]);
    assert_eq!(checked.assert_code(0).json()["ok"], true, "{checked}");
}

/// G3 folds the arm before it lets go, and waits without an end for joints that cannot get there. Nothing more is sent to it.
#[test]
fn a_g3_board_that_cannot_fold_is_told_and_nothing_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let arm = held_arm("g3");
    let ended = roarm(arguments(&arm.port(), &folder.path().join("set"), &["--yes", "--episodes", "1"]));
    let told = ended.assert_code(3).json();
    assert_eq!(told["episodes"], 0, "{ended}");
    assert!(ended.stderr.contains("the board folds the arm"), "{ended}");
    assert!(told["ended"].as_str().unwrap().contains("is silent since then"), "{told}");
    let log = arm.end();
    let kinds: Vec<u64> = log.kinds.iter().copied().filter(|kind| ![605, 301].contains(kind)).collect();
    assert_eq!(kinds, [210], "the torque was not switched on under an arm of which nothing is known");
}

#[test]
fn keys_end_an_episode_record_it_again_and_stop() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("set");
    let arm = held_arm("g1");
    let mut terminal = OnTerminal::start_with(arguments(&arm.port(), &out, &["--episodes", "9"]));
    let said = terminal.wait_until_said("HOLD IT, then press Enter", 0);
    terminal.press(b'\n');
    let said = terminal.wait_until_said("episode 1 of 9: go", said);
    std::thread::sleep(Duration::from_secs(1));
    terminal.type_keys(b"\x1b[D");
    let said = terminal.wait_until_said("episode 1: forgotten, once more", said);
    std::thread::sleep(Duration::from_secs(1));
    terminal.type_keys(b"\x1b[C");
    let said = terminal.wait_until_said("saved", said);
    // It is on the disk now, before the next one is.
    assert_eq!(Dataset::open(&out).unwrap().episode_count(), 1);
    std::thread::sleep(Duration::from_secs(1));
    terminal.type_keys(b"\x1b");
    terminal.wait_until_said("torque is on: the arm holds where it stands", said);
    let (code, told) = terminal.finish();
    assert_eq!((code, &told["episodes"], &told["redone"]), (Some(0), &1.into(), &1.into()), "{told}");
    arm.end();
    let dataset = Dataset::open(&out).unwrap();
    assert_eq!(dataset.episode_count(), 1, "the episode that Esc came in is forgotten");
    actions_are_the_next_states(&dataset, 0);
}

#[test]
fn a_kill_costs_the_open_episode_only() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("set");
    let arm = held_arm("g1");
    let flags = ["--yes", "--episodes", "9", "--episode-time", "1"];
    let mut program = Program::start(arguments(&arm.port(), &out, &flags));
    program.wait_until_said("episode 3 of 9: go");
    std::thread::sleep(Duration::from_millis(400));
    program.signal(Signal::KILL);
    assert_eq!(program.finish().code, None, "killed, not ended");
    arm.end();
    let dataset = Dataset::open(&out).unwrap();
    assert_eq!(dataset.episode_count(), 2);
    let checked = roarm(["dataset", "check", out.to_str().unwrap(), "--json"]);
    let problems = checked.json()["problems"].clone();
    assert!(problems.as_array().unwrap().iter().all(|problem| problem["kind"] == "extra-file"), "{checked}");
}

#[test]
fn a_camera_that_stands_still_makes_the_episode_bad_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("set");
    let arm = held_arm("g1");
    // It has forty pictures and then no more.
    let camera = format!("front={}", recorded_camera("?loop=0"));
    let mut arguments = arguments(&arm.port(), &out, &["--yes", "--episodes", "1", "--episode-time", "8"]);
    let place = arguments.iter().position(|argument| argument.starts_with("front=")).unwrap();
    arguments[place] = camera;
    let ended = roarm(arguments);
    let told = ended.assert_code(3).json();
    assert_eq!((&told["ok"], &told["episodes"]), (&false.into(), &0.into()), "{ended}");
    assert!(ended.stderr.contains("is BAD and not saved: the camera recording ended"), "{ended}");
    assert!(ended.stderr.contains("torque is on: the arm holds where it stands"), "{ended}");
    arm.end();
}

#[test]
fn what_cannot_be_recorded_is_refused_before_the_port_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("set");
    let port = SilentPort::open();
    let usual = |more: &[&str]| arguments(port.path(), &out, more);
    // Nobody to ask: the test is no terminal.
    roarm(usual(&[])).assert_error(3, &["nobody can be asked to hold the arm", "--yes"]);
    let without: Vec<String> = usual(&["--yes"]).into_iter().filter(|flag| flag != "--teach").collect();
    roarm(without).assert_error(2, &["--teach", "dataset export"]);
    let nameless: Vec<String> =
        usual(&["--yes"]).into_iter().map(|flag| flag.trim_start_matches("front=").to_owned()).collect();
    roarm(nameless).assert_error(2, &["give the camera a name"]);
    roarm(usual(&["--yes", "--reset-time", "-1"])).assert_code(2);
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("mine"), "").unwrap();
    roarm(usual(&["--yes"])).assert_error(1, &["something is in it already"]);
    let dry = roarm(usual(&["--dry-run"]));
    assert_eq!(dry.assert_code(0).json()["ended"], "dry run");
    assert_eq!(port.received(), "", "the port was opened");
}
