//! `verify` judges real-time chunking where the bundle ships cases of it.

use roarm::policy::{VerifyReport, verify};

use crate::support::{Copy, assert_says, engine};

fn report(copy: &Copy) -> VerifyReport {
    verify(&copy.load().unwrap(), &mut copy.engine().unwrap()).unwrap()
}

fn failed(report: &VerifyReport) -> Vec<&'static str> {
    report.checks.iter().filter(|check| !check.ok).map(|check| check.name).collect()
}

#[test]
fn the_shipped_bundle_has_cases_of_every_schedule_and_passes() {
    let (bundle, mut engine) = engine();
    let case = std::fs::read_to_string(bundle.folder().join("parity.json")).unwrap();
    assert_says(&case, &["ZEROS", "ONES", "LINEAR", "EXP"]);
    let report = verify(&bundle, &mut engine).unwrap();
    let check = report.checks.last().unwrap();
    println!("{check:?}");
    assert!(report.ok && check.name == "guided_norm" && check.max_abs <= 1e-5, "{report:?}");
}

#[test]
fn each_case_is_judged() {
    for index in 0..5 {
        let copy = Copy::new();
        let tensor = format!("real_time_chunking.{index}.chunk_norm");
        copy.change_tensor("parity.safetensors", &tensor, |chunk| chunk[7] += 1e-3);
        assert_eq!(failed(&report(&copy)), ["guided_norm"], "case {index}");
        let copy = Copy::new();
        let tensor = format!("real_time_chunking.{index}.previous");
        copy.change_tensor("parity.safetensors", &tensor, |previous| previous[2] += 1e-2);
        assert_eq!(failed(&report(&copy)), ["guided_norm"], "case {index}");
    }
}

fn change_case(change: impl FnOnce(&mut serde_json::Value)) -> Copy {
    let copy = Copy::new();
    copy.change("parity.json", |bytes| {
        let mut case: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        change(&mut case);
        *bytes = serde_json::to_vec(&case).unwrap();
    });
    copy
}

#[test]
fn another_schedule_delay_horizon_or_limit_is_seen() {
    // Case 2 is LINEAR with the whole left-over.
    for (parameter, other) in [
        ("schedule", serde_json::json!("EXP")),
        ("inference_delay", serde_json::json!(2)),
        ("execution_horizon", serde_json::json!(9)),
        ("max_guidance_weight", serde_json::json!(4.0)),
    ] {
        let copy = change_case(|case| case["real_time_chunking"][2][parameter] = other);
        assert_eq!(failed(&report(&copy)), ["guided_norm"], "{parameter}");
    }
}

#[test]
fn a_bundle_of_format_1_0_has_no_such_cases_and_verifies() {
    let copy = change_case(|case| drop(case.as_object_mut().unwrap().remove("real_time_chunking")));
    copy.replace("\"1.2\"", "\"1.0\"");
    let report = report(&copy);
    assert!(report.ok && report.checks.len() == 6, "{report:?}");
}

#[test]
fn broken_cases_are_named() {
    let refusal =
        |copy: Copy| verify(&copy.load().unwrap(), &mut copy.engine().unwrap()).unwrap_err().to_string();
    let message = refusal(change_case(|case| case["real_time_chunking"][1]["schedule"] = "STEEP".into()));
    assert_says(&message, &["real_time_chunking.1.schedule", "STEEP", "LINEAR"]);
    let message = refusal(change_case(|case| {
        let first = case["real_time_chunking"][0].clone();
        case["real_time_chunking"].as_array_mut().unwrap().push(first);
    }));
    assert_says(&message, &["real_time_chunking.5.previous", "missing"]);
    let message = refusal(change_case(|case| case["real_time_chunking"][0]["inference_delay"] = (-1).into()));
    assert_says(&message, &["parity.json"]);
    let copy = Copy::new();
    copy.change_tensor("parity.safetensors", "real_time_chunking.3.previous", |previous| {
        previous[0] = f32::NAN
    });
    assert_says(&refusal(copy), &["real-time chunking", "action 0", "NaN"]);
}
