//! `roarm policy info` and `roarm policy verify`.

use crate::support::bundle_copy::{BundleCopy, shipped_bundle};
use crate::support::program::roarm;

const CHECKS: [&str; 7] =
    ["lang_tokens", "lang_mask", "state_norm", "pixels", "chunk_norm", "chunk", "guided_norm"];

#[test]
fn verify_prints_a_table() {
    let ended = roarm(["policy".as_ref(), "verify".as_ref(), shipped_bundle().as_os_str()]);
    let lines: Vec<&str> = ended.assert_code(0).stdout.lines().collect();
    assert_eq!(lines.len(), 1 + CHECKS.len(), "{ended}");
    for (line, check) in lines[1..].iter().zip(CHECKS) {
        assert!(line.starts_with(check) && line.ends_with("ok"), "{line}");
    }
}

#[test]
fn verify_prints_json() {
    let ended =
        roarm(["policy".as_ref(), "verify".as_ref(), shipped_bundle().as_os_str(), "--json".as_ref()]);
    let report = ended.assert_code(0).json();
    assert_eq!(report["ok"], true);
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.iter().map(|check| check["name"].as_str().unwrap()).collect::<Vec<_>>(), CHECKS);
    for check in checks {
        assert!(check["max_abs"].as_f64().unwrap() <= check["limit"].as_f64().unwrap(), "{check}");
    }
    assert_eq!(checks[5]["limit"], 5e-3);
}

#[test]
fn verify_fails_where_a_limit_is_exceeded() {
    let copy = BundleCopy::new();
    copy.change("parity.json", |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = text.replace("\"chunk\": 0.005", "\"chunk\": 1e-12").into_bytes();
    });
    let arguments = ["policy".as_ref(), "verify".as_ref(), copy.folder().as_os_str()];
    let ended = roarm(arguments.into_iter().chain(["--json".as_ref()]));
    let report = ended.assert_code(1).json();
    assert_eq!(report["ok"], false);
    let exceeded = |check: &serde_json::Value| check["max_abs"].as_f64() > check["limit"].as_f64();
    let names: Vec<&str> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| exceeded(check))
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["chunk"]);
    assert!(ended.stderr.contains("export the policy again"), "{ended}");

    let ended = roarm(arguments);
    let table = &ended.assert_code(1).stdout;
    let exceeded: Vec<&str> = table.lines().filter(|line| line.ends_with("EXCEEDED")).collect();
    assert!(exceeded.len() == 1 && exceeded[0].starts_with("chunk "), "{table}");
}

#[test]
fn info_is_one_page() {
    let ended = roarm(["policy".as_ref(), "info".as_ref(), shipped_bundle().as_os_str()]);
    let page = &ended.assert_code(0).stdout;
    crate::support::bundle_copy::assert_says(
        page,
        &[
            "smolvla, format 1.2",
            "50 actions at 30 Hz",
            "observation.images.front (trained on 96x96)",
            "48 tokens",
            "compute      float32; weights: bool 0.0 MB, float32 2.9 MB, int64",
            "gripper",
        ],
    );
    assert!(page.lines().count() <= 50, "{page}");
    let ended = roarm(["policy".as_ref(), "info".as_ref(), shipped_bundle().as_os_str(), "--json".as_ref()]);
    assert!(ended.assert_code(0).json().is_object());
}

#[test]
fn both_refuse_what_is_no_bundle() {
    for verb in ["info", "verify"] {
        roarm(["policy", verb, "/nowhere"])
            .assert_error(3, &["/nowhere", "not a policy bundle", "roarm_export"]);
    }
}
