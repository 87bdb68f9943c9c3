//! Pictures that lie, get lost or stop coming.

use super::drill::drilled;

#[test]
fn a_frozen_picture_is_not_noticed() {
    drilled("camera.freeze", 0, "duration reached");
}

#[test]
fn noise_moves_the_arm_within_its_bounds() {
    drilled("camera.corrupt", 0, "duration reached");
}

#[test]
fn lost_pictures_do_not_end_a_run() {
    drilled("camera.drop=0.5", 0, "duration reached");
}

#[test]
fn a_silent_camera_is_a_protective_stop() {
    // The patient limits of a picture's age are longer than a run of three seconds.
    let arm = crate::support::port::VirtualArm::start("g1");
    let attempt = crate::attempt::Attempt::at(&arm.port()).patient();
    let ended = attempt.with(&["--duration", "60", "--inject", "camera.stall"]).run();
    let summary = ended.assert_code(4).summary();
    // Either rule may be the first: pictures that are too old for a chunk, or no new one for too long.
    let said = summary["ended"].as_str().unwrap();
    let too_old = said.contains("chunks in a row were rejected")
        && summary["gate"]["observation_age"].as_u64() >= Some(1);
    assert!(too_old || said.contains("no frame from camera slot 0"), "{ended}");
    arm.end().assert_held();
}

#[test]
fn a_pulled_camera_is_a_protective_stop() {
    let drilled = drilled("camera.gone", 4, "the camera failed");
    assert!(drilled.ended.stderr.contains("camera.gone"), "{}", drilled.ended);
}

#[test]
fn a_panic_of_its_thread_ends_in_the_hold() {
    let drilled = drilled("thread.panic=camera", 4, "");
    assert!(drilled.ended.stderr.contains("the camera thread panicked"), "{}", drilled.ended);
}
