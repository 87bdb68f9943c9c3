//! `--inject` is checked before anything is opened.

use crate::attempt::refused;
use crate::support::program::roarm;

#[test]
fn help_lists_every_fault() {
    for verb in [vec!["demo"], vec!["run", "--arm", "x"]] {
        let ended = roarm(verb.into_iter().chain(["--inject", "help"]));
        ended.assert_code(0);
        for name in ["camera.freeze", "policy.nan", "thread.panic", "serial.cut", "control.stall"] {
            assert!(ended.stdout.contains(name), "{name}: {ended}");
        }
    }
}

#[test]
fn an_unknown_fault_is_refused_with_the_nearest() {
    refused(2, &["camera.frezee", "camera.freeze", "--inject help"], |attempt| {
        attempt.more.extend(["--inject", "camera.frezee"].map(str::to_owned));
    });
}

#[test]
fn a_fault_of_the_board_belongs_to_sim() {
    refused(2, &["serial.cut", "roarm sim --fault cut"], |attempt| {
        attempt.more.extend(["--inject", "serial.cut@5s"].map(str::to_owned));
    });
}
