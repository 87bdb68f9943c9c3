//! `roarm demo`: the first thing that a new user runs.

use crate::support::board_log::BoardLog;
use crate::support::program::Program;
use crate::support::repository;

#[test]
fn the_demo_moves_the_arm_and_sums_up() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("board.log");
    let log_flag = format!("--board-log={}", log.display());
    let arguments = ["demo", "--duration", "3", "--json", &log_flag];
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
