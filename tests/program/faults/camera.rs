//! Pictures that lie, get lost or stop coming.

use super::drill::drilled;
use crate::attempt::Attempt;
use crate::support::port::VirtualArm;
use crate::support::program::Ended;
use crate::support::repository;

/// Runs with a picture that freezes half a second after the policy took charge.
fn frozen(settings: &str) -> (Ended, serde_json::Value) {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    let patient = std::fs::read_to_string(repository("tests/program/patient.toml")).unwrap();
    std::fs::write(file.path(), format!("{patient}\n[frozen_picture]\n{settings}\n")).unwrap();
    let arm = VirtualArm::start("g1");
    let flags =
        ["--config", file.path().to_str().unwrap(), "--duration", "4", "--inject", "camera.freeze@500ms"];
    let ended = Attempt::at(&arm.port()).with(&flags).run();
    let summary = ended.summary();
    arm.end().assert_held();
    (ended, summary)
}

#[test]
fn a_frozen_picture_of_a_recording_is_not_looked_for() {
    let drilled = drilled("camera.freeze", 0, "duration reached");
    assert_eq!(drilled.summary["frozen_pictures"], 0);
}

#[test]
fn a_frozen_picture_is_told_where_it_is_looked_for() {
    let (ended, summary) = frozen("every_source = \"on\"\ntime_s = 1.0");
    ended.assert_code(0);
    assert_eq!((&summary["ended"], &summary["frozen_pictures"]), (&"duration reached".into(), &1.into()));
    let warned = ended.stderr.matches("warning: camera slot 0 goes on delivering the same picture").count();
    assert_eq!(warned, 1, "{ended}");
    assert!(ended.stderr.contains("frozen_pictures  1"), "people read it in the summary too: {ended}");
}

#[test]
fn a_frozen_picture_is_a_protective_stop_where_it_is_told_to_be() {
    let (ended, summary) = frozen("every_source = \"on\"\ntime_s = 1.0\naction = \"stop\"");
    ended.assert_code(4);
    assert!(
        summary["ended"].as_str().unwrap().starts_with("camera slot 0 goes on delivering the same picture"),
        "{ended}"
    );
    assert_eq!(summary["frozen_pictures"], 1);
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
    let arm = VirtualArm::start("g1");
    let attempt = Attempt::at(&arm.port()).patient();
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
