//! `roarm doctor`.

use crate::attempt::recorded_camera;
use crate::support::bundle_copy::shipped_bundle;
use crate::support::port::SilentPort;
use crate::support::program::roarm;

/// The verdict of each part.
fn verdicts<'a>(report: &'a serde_json::Value, part: &str) -> Vec<&'a str> {
    let findings = report["findings"].as_array().unwrap();
    let of_part = findings.iter().filter(|finding| finding["part"] == part);
    of_part.map(|finding| finding["verdict"].as_str().unwrap()).collect()
}

#[test]
fn a_machine_without_an_arm_is_told_what_is_missing() {
    let ended = roarm(["doctor", "--json"]);
    // A machine with an arm or a camera may have something to complain of; the report itself is whole all the same.
    let report = ended.json();
    assert_eq!(ended.code, Some(i32::from(report["ok"] == false)), "{ended}");
    assert_eq!(verdicts(&report, "library"), ["ok"]);
    assert_eq!(verdicts(&report, "policy"), ["note"]);
    assert!(!verdicts(&report, "camera").is_empty() && !verdicts(&report, "port").is_empty(), "{report}");
}

#[test]
fn all_is_well() {
    let port = SilentPort::open();
    let path = port.path().display().to_string();
    let policy = shipped_bundle().display().to_string();
    let camera = recorded_camera("");
    let arguments = ["doctor", "--arm", &path, "--camera", &camera, "--policy", &policy];
    let ended = roarm(arguments);
    let page = &ended.assert_code(0).stdout;
    assert_eq!(page.lines().filter(|line| line.starts_with("ok ")).count(), 5, "{page}");
    assert_eq!(port.received(), "", "doctor opens no port");
    let report = roarm(arguments.into_iter().chain(["--json"])).assert_code(0).json();
    assert_eq!(report["ok"], true);
    for part in ["library", "policy", "provider", "camera", "port"] {
        assert_eq!(verdicts(&report, part), ["ok"], "{part}");
    }
}

#[test]
fn every_fault_is_found_at_once() {
    let ended = roarm([
        "doctor",
        "--arm",
        "/dev/null",
        "--camera",
        "webcam",
        "--policy",
        "/nowhere",
        "--onnxruntime",
        "/nowhere.so",
    ]);
    let page = &ended.assert_code(1).stdout;
    for (part, fix) in [
        ("library", "leave it out"),
        ("policy", "roarm_export"),
        ("camera", "v4l2:/dev/videoN"),
        ("port", "not a serial port"),
    ] {
        let found =
            page.lines().any(|line| line.starts_with(&format!("FAILED {part} ")) && line.contains(fix));
        assert!(found, "{part}: {page}");
    }
    assert!(page.contains("fix: give a device"), "{page}");
}

#[test]
fn a_device_that_cannot_be_used_fails() {
    let policy = shipped_bundle().display().to_string();
    let ended = roarm(["doctor", "--policy", &policy, "--device", "cuda", "--json"]);
    let report = ended.assert_code(1).json();
    assert_eq!((verdicts(&report, "policy"), verdicts(&report, "provider")), (vec!["ok"], vec!["failed"]));
}

#[test]
fn a_bad_configuration_is_an_argument_error() {
    roarm(["doctor", "--config", "/nowhere.toml"]).assert_error(2, &["/nowhere.toml", "Check the path"]);
}
