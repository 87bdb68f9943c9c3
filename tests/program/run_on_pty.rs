//! `roarm run` against `roarm sim`: two processes and a serial line between them.

use firmware_protocol::Generation;

use crate::attempt::{Attempt, recorded_camera};
use crate::support::port::VirtualArm;

#[test]
fn g1_runs_within_all_bounds() {
    let arm = VirtualArm::start("g1");
    // The whole command of a first run: also the ramp to the dataset's mean pose.
    let mut attempt = Attempt::at(&arm.port()).patient().with(&["--duration", "5"]);
    attempt.more.retain(|flag| flag != "--start-pose" && flag != "current");
    let ended = attempt.run();
    assert_complete_run(&ended.assert_code(0).summary());
    assert!(ended.stderr.contains("the arm is ready (firmware g1)"), "{ended}");
    let log = arm.end();
    log.assert_limits(Generation::G1);
    log.assert_steps();
    log.assert_held();
    // The handshake, once or repeated while the arm came to rest; then joints and nothing else.
    let handshake = log.kinds.iter().position(|kind| *kind == 102).unwrap();
    assert!(
        log.kinds[..handshake].chunks(2).all(|pair| *pair == [605, 301]),
        "{:?}",
        &log.kinds[..handshake]
    );
    assert!(handshake >= 2 && log.kinds[handshake..].iter().all(|kind| *kind == 102));
    let (by_goals, by_measurement) = log.joints_moved(10.0);
    assert!(by_goals >= 3 && by_measurement >= 3, "{by_goals} joints by goals, {by_measurement} as measured");
}

#[test]
fn g3_runs_within_all_bounds() {
    let arm = VirtualArm::start("g3");
    let ended = Attempt::at(&arm.port()).patient().with(&["--duration", "5"]).run();
    assert_complete_run(&ended.assert_code(0).summary());
    assert!(ended.stderr.contains("the arm is ready (firmware g3)"), "{ended}");
    let log = arm.end();
    log.assert_limits(Generation::G3);
    log.assert_steps();
    log.assert_held();
}

#[track_caller]
fn assert_complete_run(summary: &serde_json::Value) {
    assert_eq!((&summary["ok"], &summary["ended"]), (&true.into(), &"duration reached".into()), "{summary}");
    assert!(summary["chunks"].as_u64() >= Some(1), "{summary}");
}

#[test]
fn two_runs_after_each_other_find_the_same_arm() {
    let arm = VirtualArm::start("g1");
    for _ in 0..2 {
        Attempt::at(&arm.port()).patient().with(&["--duration", "0.5"]).run().assert_code(0);
    }
    arm.end().assert_limits(Generation::G1);
}

#[test]
fn a_recording_that_does_not_loop_ends_the_run() {
    let arm = VirtualArm::start("g1");
    let mut attempt = Attempt::at(&arm.port()).patient();
    attempt.camera = recorded_camera("?loop=0");
    let summary = attempt.run().assert_code(0).summary();
    assert_eq!((&summary["ok"], &summary["ended"]), (&true.into(), &"the camera recording ended".into()));
    assert!(
        summary["chunks"].as_u64() >= Some(1),
        "the policy must see the recording's beginning: {summary}"
    );
    arm.end().assert_limits(Generation::G1);
}

#[test]
fn a_lost_link_is_a_protective_stop_with_advice() {
    let arm = VirtualArm::start("g1");
    let mut program = Attempt::at(&arm.port()).patient().start();
    program.wait_until_said("running ");
    arm.cut();
    let ended = program.finish();
    let summary = ended.assert_code(4).summary();
    assert_eq!((&summary["ok"], &summary["ended"]), (&false.into(), &"the serial link was lost".into()));
    assert!(ended.stderr.contains("plug it in again"), "{ended}");
}

#[test]
fn nobody_listening_does_not_end_a_run() {
    let arm = VirtualArm::start("g1");
    let ended = Attempt::at(&arm.port()).patient().with(&["--duration", "1"]).start_unheard().finish();
    assert_eq!(ended.assert_code(0).summary()["ended"], "duration reached");
    arm.end().assert_held();
}

#[test]
fn a_dry_run_opens_nothing() {
    let port = crate::support::port::SilentPort::open();
    let ended = Attempt::at(port.path()).with(&["--dry-run"]).run();
    assert_eq!(ended.assert_code(0).json()["ended"], "dry run");
    assert_eq!(port.received(), "");
}
