//! The wire fails under a running program.

use crate::support::program::Program;
use crate::support::repository;

/// The demo, whose board has the fault itself. The board's clock starts with the board, so the fault meets any phase: what is asserted
/// holds in each.
#[test]
fn garbage_on_the_wire_never_becomes_a_pose() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board.log");
    let log_flag = format!("--board-log={}", path.display());
    let arguments = ["demo", "--duration", "2", "--json", "--inject", "serial.garbage=2@4s:2s", &log_flag];
    let ended = Program::start_in(&repository(""), arguments).finish();
    let summary = ended.summary();
    assert!(ended.code == Some(0) || ended.code == Some(4), "{ended}");
    assert_eq!(summary["ok"], ended.code == Some(0), "{ended}");
    let log = std::fs::read_to_string(path).unwrap();
    assert!(log.contains("! fault garbage=2@4s:2s begins"), "the fault reached the board");
}
