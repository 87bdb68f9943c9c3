//! The control thread dies or hangs: the thread that owns the port brakes and holds.

use super::drill::drilled;

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
