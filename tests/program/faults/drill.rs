//! A run with a fault, and what must hold after each.

use firmware_protocol::Generation;

use crate::attempt::Attempt;
use crate::support::board_log::BoardLog;
use crate::support::port::VirtualArm;
use crate::support::program::Ended;

/// A run that ended.
pub(super) struct Drilled {
    pub(super) ended: Ended,
    pub(super) summary: serde_json::Value,
    pub(super) log: BoardLog,
}

/// Runs with `--inject list`, and asserts how it ended, that the summary was kept, and that the arm stayed within all bounds and was
/// left in the hold.
#[track_caller]
pub(super) fn drilled(list: &str, code: i32, cause: &str) -> Drilled {
    let arm = VirtualArm::start("g1");
    let ended = Attempt::at(&arm.port()).patient().with(&["--duration", "3", "--inject", list]).run();
    let summary = ended.assert_code(code).summary();
    assert_eq!(summary["ok"], code == 0, "{ended}");
    let said = summary["ended"].as_str().unwrap();
    assert!(said.contains(cause), "`{cause}` is not why it ended: {ended}");
    assert!(ended.stderr.contains("goes wrong on purpose"), "{ended}");
    let log = arm.end();
    log.assert_limits(Generation::G1);
    log.assert_steps();
    log.assert_held();
    Drilled { ended, summary, log }
}
