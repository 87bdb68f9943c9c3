//! The control thread dies or hangs: the thread that owns the port brakes and holds. And the thread that watches it dies.

use super::drill::drilled;
use crate::attempt::Attempt;
use crate::support::port::VirtualArm;

#[test]
fn its_panic_is_taken_over_by_the_link() {
    let drilled = drilled("thread.panic=control@1s", 4, "");
    assert!(drilled.ended.stderr.contains("the control thread panicked"), "{}", drilled.ended);
    assert!(drilled.log.commands.len() > 5);
}

#[test]
fn its_stall_is_taken_over_by_the_link() {
    let drilled = drilled("control.stall@1s", 4, "");
    assert!(drilled.ended.stderr.contains("has not ticked for"), "{}", drilled.ended);
}

#[test]
fn a_pose_that_no_arm_has_is_a_protective_stop() {
    drilled("feedback.impossible@0.2s", 4, "no feedback for");
}

#[test]
fn a_panic_of_the_watchdog_ends_in_the_hold() {
    let drilled = drilled("thread.panic=watchdog@500ms", 4, "the program failed");
    assert!(drilled.ended.stderr.contains("the watchdog thread panicked"), "{}", drilled.ended);
}

#[test]
fn a_panic_of_the_link_ends_in_its_own_hold() {
    let drilled = drilled("thread.panic=link@1s", 4, "the program failed");
    assert!(drilled.ended.stderr.contains("the arm link's thread panicked"), "{}", drilled.ended);
    assert!(drilled.log.commands.len() > 5);
}

/// Goals run ahead of an arm that seems to stand, as far as the lead limit lets them; then a joint counts as blocked.
#[test]
fn feedback_that_never_changes_is_a_protective_stop() {
    let arm = VirtualArm::start("g1");
    let flags = ["--duration", "60", "--inject", "feedback.frozen@500ms"];
    let ended = Attempt::at(&arm.port()).patient().with(&flags).run();
    let summary = ended.assert_code(4).summary();
    assert!(summary["ended"].as_str().unwrap().contains("does not follow its goal"), "{ended}");
    let log = arm.end();
    log.assert_limits(firmware_protocol::Generation::G1);
    log.assert_steps();
    log.assert_held();
}
