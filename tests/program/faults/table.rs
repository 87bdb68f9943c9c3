//! The table in `docs/faults.md`: made from what happens here, and compared with it.
//!
//! `ROARM_WRITE_FAULTS_TABLE=1 cargo test -p roarm --test program faults::table -- --ignored` writes it anew.

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use firmware_protocol::Generation;

use crate::attempt::Attempt;
use crate::support::board_log::BoardLog;
use crate::support::port::VirtualArm;
use crate::support::program::{Ended, Program};
use crate::support::repository;

const BEGIN: &str = "<!-- made by tests/program/faults/table.rs -->\n";
const END: &str = "<!-- end -->\n";
/// At a time: each is a program, and an arm beside it.
const AT_ONCE: usize = 3;
/// How often a case is run before its row counts as another than the manual's.
const TRIES: usize = 3;

/// A fault, and how the run with it is started.
enum Case {
    /// `roarm run` on the port of `roarm sim`.
    Run(&'static str),
    /// `roarm demo` for so many seconds, whose board has the fault.
    Demo(&'static str, u32),
}

/// Each fault of `--inject help` whose outcome does not hang on what a policy with random weights happens to do.
const CASES: [Case; 22] = [
    Case::Run("camera.freeze@1s"),
    Case::Run("camera.drop=0.5@1s"),
    Case::Run("camera.corrupt@1s"),
    Case::Run("camera.gone@1s"),
    Case::Run("policy.nan@1s"),
    Case::Run("policy.inf@1s"),
    Case::Run("policy.stall@1s"),
    Case::Run("policy.error@1s"),
    Case::Run("policy.slow=300@1s"),
    Case::Run("feedback.impossible@1s"),
    Case::Run("control.stall@1s"),
    Case::Run("thread.panic=camera@1s"),
    Case::Run("thread.panic=inference@1s"),
    Case::Run("thread.panic=control@1s"),
    Case::Run("thread.panic=watchdog@1s"),
    Case::Run("thread.panic=link@1s"),
    Case::Run("clock.step=3s@1s"),
    Case::Run("disk.full@1s"),
    Case::Demo("serial.cut@12s:2s", 24),
    Case::Demo("serial.garbage=2@10s:2s", 12),
    Case::Demo("serial.slow=4000@10s:2s", 12),
    Case::Demo("stuck-joint=base@10s:500ms", 12),
];

/// What happened, without anything that a clock or a machine decides.
struct Row {
    fault: &'static str,
    code: i32,
    ended: String,
    arm: String,
}

impl Row {
    fn line(&self) -> String {
        let Self { fault, code, ended, arm } = self;
        let kept = if fault.starts_with("disk.") { "the summary; the log up to then" } else { "the summary" };
        format!("| `{fault}` | {code} | {ended} | {arm} | {kept} |")
    }
}

fn run(fault: &'static str) -> Row {
    let arm = VirtualArm::start("g1");
    let attempt = Attempt::at(&arm.port()).patient().with(&["--duration", "8", "--inject", fault]);
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().display().to_string();
    let ended =
        if fault.starts_with("disk.") { attempt.with(&["--log", &logs]).run() } else { attempt.run() };
    row(fault, &ended, &arm.end())
}

fn demo(fault: &'static str, seconds: u32) -> Row {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board.log");
    let log_flag = format!("--board-log={}", path.display());
    let seconds = seconds.to_string();
    // random weights never come to an end of their own
    let policy = "--policy=models/smolvla-tiny";
    let arguments = ["demo", policy, "--duration", &seconds, "--json", "--inject", fault, &log_flag];
    let ended = Program::start_in(&repository(""), arguments).finish();
    row(fault, &ended, &BoardLog::read(&path))
}

/// Judges the board's log, and keeps what the summary says.
fn row(fault: &'static str, ended: &Ended, log: &BoardLog) -> Row {
    log.assert_limits(Generation::G1);
    log.assert_steps();
    let summary = ended.summary();
    let code = ended.code.unwrap_or_else(|| panic!("{fault}: killed: {ended}"));
    assert_eq!(summary["ok"], code == 0, "{fault}: {ended}");
    // A board that stalls for seconds while the arm is stopped loses the connection, and nothing more is written.
    let held = if log.is_held() { "held at the end" } else { "left at its last goal" };
    let mut arm = format!("inside all bounds, {held}");
    if summary["link_losses"].as_u64() >= Some(1) {
        arm.push_str(if code == 0 { "; came back after the lost link" } else { "; the link was lost" });
    }
    Row { fault, code, ended: without_numbers(summary["ended"].as_str().unwrap()), arm }
}

/// Times differ from run to run.
fn without_numbers(text: &str) -> String {
    let mut plain = String::new();
    for character in text.chars() {
        if !character.is_ascii_digit() {
            plain.push(character);
        } else if !plain.ends_with('N') {
            plain.push('N');
        }
    }
    plain
}

fn table(rows: &[Row]) -> String {
    let mut text = "| fault | exit code | why it ended | the arm, by the board's own log | kept |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for row in rows {
        writeln!(text, "{}", row.line()).unwrap();
    }
    text
}

/// Runs a case, again where its row is not the manual's: on a machine that stalls for seconds, feedback gets too old in any run. Bounds and
/// steps are asserted each time.
fn settled(case: &Case, manual: &str) -> Row {
    let once = || match case {
        Case::Run(fault) => run(fault),
        Case::Demo(fault, seconds) => demo(fault, *seconds),
    };
    let mut row = once();
    for _ in 1..TRIES {
        if manual.contains(&row.line()) {
            break;
        }
        row = once();
    }
    row
}

#[test]
#[ignore = "a machine that stalls for two seconds changes a row: part of `cargo xtask test-full`"]
fn the_manuals_table_is_what_happens() {
    let path = repository("docs/faults.md");
    let manual = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = manual.split_once(BEGIN).expect("the table's beginning");
    let (written, after) = rest.split_once(END).expect("the table's end");
    let next = AtomicUsize::new(0);
    let rows = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((place, case)) = {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    CASES.get(place).map(|case| (place, case))
                } {
                    let row = settled(case, written);
                    rows.lock().unwrap().push((place, row));
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap();
    rows.sort_by_key(|(place, _)| *place);
    let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    let made = table(&rows);
    if std::env::var_os("ROARM_WRITE_FAULTS_TABLE").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
    } else {
        assert_eq!(written, made, "docs/faults.md says something else; see the head of this file");
    }
}
