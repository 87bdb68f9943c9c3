//! `roarm demo`: the first thing that a new user runs.

use crate::support::board_log::BoardLog;
use crate::support::program::Program;
use crate::support::repository;

#[test]
fn the_demo_moves_the_arm_and_sums_up() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("board.log");
    let log_flag = format!("--board-log={}", log.display());
    let arguments = ["demo", "--duration", "2", "--json", &log_flag];
    let ended = Program::start_in(&repository(""), arguments).finish();

    let summary = ended.assert_code(0).summary();
    assert_eq!((&summary["ok"], &summary["ended"]), (&true.into(), &"duration reached".into()));
    assert!(
        summary["chunks"].as_u64() >= Some(1) && summary["commands_sent"].as_u64() >= Some(5),
        "{summary}"
    );
    assert_eq!(ended.stdout.lines().count(), 1, "the result alone goes to standard output: {ended}");
    assert!(ended.stderr.contains("duration reached"), "people get the summary too: {ended}");

    let log = BoardLog::read(&log);
    let (by_goals, by_measurement) = log.joints_moved(10.0);
    assert!(by_goals >= 3 && by_measurement >= 3, "{by_goals} joints by goals, {by_measurement} as measured");
    assert_eq!(log.commands.len() as u64, summary["commands_sent"].as_u64().unwrap());
    log.assert_limits(firmware_protocol::Generation::G1);
    log.assert_held();
}

#[test]
fn episodes_in_virtual_time_are_counted_and_the_same_every_time() {
    let run = || {
        let arguments = ["demo", "--episodes", "4", "--seed", "5000", "--json"];
        let ended = Program::start_in(&repository(""), arguments).finish();
        ended.assert_code(0).json()
    };
    let summary = run();
    assert_eq!(summary["episodes"], 4);
    assert!(summary["successes"].as_u64() >= Some(3), "the shipped policy picks boxes up: {summary}");
    assert_eq!(summary["took_the_other"], 0);
    let [low, high] = [0, 1].map(|end| summary["interval_95"][end].as_f64().unwrap());
    let rate = summary["success_rate"].as_f64().unwrap();
    assert!(low < rate && rate <= high, "{summary}");
    assert_eq!(
        summary["by_instruction"].as_object().unwrap().len(),
        2,
        "both instructions in turn: {summary}"
    );
    assert_eq!(summary, run());
}

#[test]
fn a_policy_that_sees_nothing_fails_and_one_that_hears_the_other_word_takes_the_other_box() {
    let run = |what: &str| {
        let arguments = ["demo", "--episodes", "4", "--seed", "5000", "--json", "--ablate", what];
        Program::start_in(&repository(""), arguments).finish().assert_code(0).json()
    };
    let blind = run("blank-picture");
    assert!(blind["successes"].as_u64() <= Some(1), "{blind}");
    let misled = run("wrong-instruction");
    assert_eq!(misled["successes"], 0, "{misled}");
    assert!(misled["took_the_other"].as_u64() >= Some(3), "{misled}");
}

#[test]
fn what_does_not_fit_together_is_said() {
    let demo = |more: &[&str]| Program::start_in(&repository(""), ["demo"].iter().chain(more)).finish();
    for (more, words) in [
        (&["--episodes", "0"][..], "at least 1"),
        (&["--instruction", "Pick up the box"], "Pick up the red box"),
        (&["--episodes", "2", "--inject", "policy.nan@1s"], "--realtime"),
        (&["--episodes", "2", "--policy", "models/smolvla-tiny"], "names the white or the red box"),
        (&["--physics", "some/program", "--policy", "models/smolvla-tiny"], "--physics computes boxes"),
        (&["--physics", "some/program", "--servos", "stock"], "--servos"),
        (&["--physics", " "], "name a program"),
    ] {
        let ended = demo(more);
        ended.assert_code(2);
        assert!(ended.stderr.contains(words), "{more:?}: {ended}");
    }
}

#[test]
fn a_physics_that_fails_is_said_in_virtual_and_in_real_time() {
    for (physics, code, words) in [
        ("/no/such/program --friction 1", 3, "cannot start the physics `/no/such/program --friction 1`"),
        ("false", 3, "ended (exit status: 1)"),
        ("yes", 3, "answered something that is no answer"),
    ] {
        for mode in [&["--episodes", "1"][..], &["--realtime"]] {
            let arguments = ["demo", "--physics", physics].into_iter().chain(mode.iter().copied());
            let ended = Program::start_in(&repository(""), arguments).finish();
            ended.assert_code(code);
            assert!(ended.stderr.contains(words), "{physics} {mode:?}: {ended}");
        }
    }
}
