//! `--park`: at the run's own end, and nowhere else.

use rustix::process::Signal;

use crate::attempt::Attempt;
use crate::support::port::VirtualArm;

#[test]
fn a_run_parks_at_its_own_end_and_lets_go_there_only_when_told_to() {
    for lets_go in [false, true] {
        let arm = VirtualArm::start("g1");
        let config = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
        let torque = if lets_go { "on" } else { "off" };
        let text = format!(
            "format_version = \"1.0\"\n[motion]\ntorque_off_after_park = \"{torque}\"\n[safety]\nmax_feedback_age_ms = 2000\nmax_frame_age_ms = 5000\ntable = \"off\"\n"
        );
        std::fs::write(config.path(), text).unwrap();
        let flags = ["--config", config.path().to_str().unwrap(), "--duration", "1", "--park", "home"];
        let ended = Attempt::at(&arm.port()).with(&flags).run();
        assert_eq!(ended.assert_code(0).summary()["ended"], "duration reached");
        assert!(ended.stderr.contains("going to the park pose"), "{ended}");
        let log = arm.end();
        log.assert_steps();
        let torque_off = log.kinds.iter().filter(|kind| **kind == 210).count();
        assert_eq!(torque_off, usize::from(lets_go), "{:?}", log.kinds);
        assert_eq!(log.kinds.last() == Some(&210), lets_go, "it is the last thing that is sent");
    }
}

#[test]
fn after_ctrl_c_the_arm_goes_nowhere() {
    let arm = VirtualArm::start("g1");
    let mut program = Attempt::at(&arm.port()).patient().with(&["--park", "home"]).start();
    program.wait_until_said("running ");
    program.signal(Signal::INT);
    let ended = program.finish();
    ended.assert_code(130);
    assert!(!ended.stderr.contains("park pose"), "{ended}");
    arm.end().assert_held();
}
