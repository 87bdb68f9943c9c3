//! A policy that says nonsense, fails or hangs.

use super::drill::drilled;

#[track_caller]
fn nonsense_is_dropped(list: &str) {
    let drilled = drilled(list, 4, "chunks in a row were rejected");
    let finite = drilled.summary["gate"]["finite"].as_u64();
    assert!(
        finite >= Some(1) && drilled.summary["chunks_rejected"].as_u64() >= Some(1),
        "{}",
        drilled.summary
    );
}

#[test]
fn nan_never_reaches_the_arm() {
    nonsense_is_dropped("policy.nan");
}

#[test]
fn infinity_never_reaches_the_arm() {
    nonsense_is_dropped("policy.inf");
}

#[test]
fn an_error_is_a_protective_stop() {
    let drilled = drilled("policy.error", 4, "inference failed");
    assert!(drilled.ended.stderr.contains("policy.error"), "{}", drilled.ended);
}

#[test]
fn a_panic_of_its_thread_ends_in_the_hold() {
    let drilled = drilled("thread.panic=inference", 4, "");
    assert!(drilled.ended.stderr.contains("the inference thread panicked"), "{}", drilled.ended);
}

#[test]
fn a_slow_policy_makes_pauses() {
    drilled("policy.slow=100", 0, "duration reached");
}

#[test]
fn a_policy_that_hangs_is_a_protective_stop() {
    let arm = crate::support::port::VirtualArm::start("g1");
    let attempt = crate::attempt::Attempt::at(&arm.port()).patient();
    let ended = attempt.with(&["--duration", "60", "--inject", "policy.stall"]).run();
    let summary = ended.assert_code(4).summary();
    assert!(summary["ended"].as_str().unwrap().contains("no chunk after"), "{ended}");
    arm.end().assert_held();
}
