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
    // Whether real-time priority is allowed is this machine's affair: it is said, and stops nothing.
    let (real_time, rest): (Vec<_>, Vec<_>) = page.lines().partition(|line| line.contains("real time"));
    assert!(matches!(real_time[..], [line] if line.contains("control thread: ")), "{page}");
    assert_eq!(rest.iter().filter(|line| line.starts_with("ok ")).count(), 5, "{page}");
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
    assert_eq!(verdicts(&report, "policy"), ["ok"]);
    // The provider's two files beside the library, and the graphs.
    assert_eq!(verdicts(&report, "provider"), ["failed"; 3]);
}

/// With the processor's ONNX Runtime, as the tests name it, every line of the page must say what is missing; on a machine with a GPU
/// driver and CUDA in the system some are there.
#[test]
fn for_a_gpu_each_part_is_looked_at_by_itself() {
    let ended = roarm(["doctor", "--device", "cuda", "--json"]);
    let report = ended.assert_code(1).json();
    assert_eq!(verdicts(&report, "library"), ["ok"]);
    assert_eq!((verdicts(&report, "driver").len(), verdicts(&report, "gpu").len()), (1, 1));
    let findings = report["findings"].as_array().unwrap();
    let texts = |part: &str| -> Vec<&str> {
        let of_part = findings.iter().filter(|finding| finding["part"] == part);
        of_part.map(|finding| finding["text"].as_str().unwrap()).collect()
    };
    for library in ["libcudart.so.13", "libcublasLt.so.13", "libcurand.so.10", "libcudnn.so.9"] {
        assert_eq!(
            texts("cuda").iter().filter(|text| text.starts_with(library)).count(),
            1,
            "{library}: {report}"
        );
    }
    // The processor's library has no provider: both of its files, and ONNX Runtime's own word.
    assert_eq!(verdicts(&report, "provider"), ["failed"; 3]);
    assert!(texts("provider")[1].starts_with("libonnxruntime_providers_cuda.so is not beside"), "{report}");
    let of_gpu = |finding: &&serde_json::Value| {
        ["driver", "cuda", "provider"].iter().any(|part| finding["part"] == *part)
    };
    for finding in findings.iter().filter(of_gpu).filter(|finding| finding["verdict"] == "failed") {
        let fix = finding["fix"].as_str().unwrap_or_default();
        let text = finding["text"].as_str().unwrap();
        assert!(fix.contains("--device") || text.contains("--device cuda"), "no fix: {finding}");
    }
}

#[test]
fn a_bad_configuration_is_an_argument_error() {
    roarm(["doctor", "--config", "/nowhere.toml"]).assert_error(2, &["/nowhere.toml", "Check the path"]);
}
