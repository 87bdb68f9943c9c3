//! Bundles in float16 and int8 against what LeRobot computed in float32, each under the limits that it carries.

use std::path::PathBuf;

use roarm::policy::{Bundle, Check, Compute, Device, Engine, EngineOptions, VerifyReport, verify};

use crate::support::{Copy, assert_says, options, repository};

/// What the project promises of each: largest and mean difference of a z-score.
const PROMISED: [(Compute, &str, f64, f64); 2] = [
    (Compute::Float16, "tests/data/smolvla_float16", 2e-2, 2e-2),
    (Compute::Int8, "tests/data/smolvla_int8", 1e-1, 3e-2),
];

fn folder(name: &str) -> PathBuf {
    repository().join(name)
}

fn report(copy: &Copy) -> VerifyReport {
    verify(&copy.load().unwrap(), &mut copy.engine().unwrap()).unwrap()
}

fn z_score_checks(report: &VerifyReport) -> Vec<&Check> {
    report.checks.iter().filter(|check| check.mean_abs.is_some()).collect()
}

#[test]
fn each_keeps_what_is_promised_of_it() {
    for (compute, name, largest, mean) in PROMISED {
        let bundle = Bundle::load(&folder(name)).unwrap();
        assert_eq!(bundle.contract().compute, compute);
        let mut engine = Engine::new(&bundle, &options()).unwrap();
        let report = verify(&bundle, &mut engine).unwrap();
        assert!(report.ok, "{report:?}");
        let checks = z_score_checks(&report);
        assert_eq!(checks.iter().map(|check| check.name).collect::<Vec<_>>(), ["chunk_norm", "guided_norm"]);
        for check in checks {
            let mean_abs = check.mean_abs.unwrap();
            println!("{compute} {}: {:.1e}, mean {mean_abs:.1e}", check.name, check.max_abs);
            assert!(check.limit <= largest && check.max_abs <= largest && mean_abs <= mean, "{check:?}");
            assert_eq!(check.mean_limit, (compute == Compute::Int8).then_some(mean), "{check:?}");
            // Float32 comes within 1e-6: what passes there has not been rounded.
            assert!(check.max_abs > 1e-5, "{check:?}");
        }
        // Pixels and state never go through the smaller type.
        for check in &report.checks[..4] {
            assert!(check.max_abs <= 1e-5, "{check:?}");
        }
    }
}

#[test]
fn the_weights_are_what_the_bundle_says() {
    for (compute, name, ..) in PROMISED {
        let bundle = Bundle::load(&folder(name)).unwrap();
        let weights = bundle.contract().weight_bytes();
        let files: u64 = ["vision.onnx", "prefix.onnx", "denoise.onnx"]
            .map(|file| std::fs::metadata(folder(name).join(file)).unwrap().len())
            .iter()
            .sum();
        let sum: u64 = weights.values().sum();
        assert!(sum <= files && sum > files / 2, "{weights:?} in files of {files} bytes");
        let small = weights[compute.to_string().as_str()];
        // In the small int8 bundle the connector, which stays float32, is a third of all weights.
        assert!(small > sum / 4, "{compute}: {weights:?}");
    }
}

#[test]
fn the_mean_limit_of_int8_fails_verify_on_its_own() {
    let copy = Copy::of(&folder("tests/data/smolvla_int8"));
    copy.change("parity.json", |bytes| {
        let mut case: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        case["limits"]["chunk_norm_mean"] = 1e-4.into();
        *bytes = serde_json::to_vec(&case).unwrap();
    });
    let report = report(&copy);
    let failed: Vec<_> = report.checks.iter().filter(|check| !check.ok).map(|check| check.name).collect();
    assert_eq!(failed, ["chunk_norm", "guided_norm"], "{report:?}");
    assert!(!report.ok && z_score_checks(&report).iter().all(|check| check.max_abs <= check.limit));
}

#[test]
fn float32_limits_refuse_them() {
    for (compute, name, ..) in PROMISED {
        let copy = Copy::of(&folder(name));
        copy.change("parity.json", |bytes| {
            let mut case: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            case["limits"]["chunk_norm"] = 1e-4.into();
            *bytes = serde_json::to_vec(&case).unwrap();
        });
        assert!(!report(&copy).ok, "{compute}");
    }
}

#[test]
fn a_useless_mean_limit_is_refused() {
    for limit in [0.0, -1.0] {
        let copy = Copy::of(&folder("tests/data/smolvla_int8"));
        copy.change("parity.json", |bytes| {
            let mut case: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            case["limits"]["chunk_norm_mean"] = limit.into();
            *bytes = serde_json::to_vec(&case).unwrap();
        });
        let error = verify(&copy.load().unwrap(), &mut copy.engine().unwrap()).unwrap_err().to_string();
        assert_says(&error, &["limits.chunk_norm_mean", "above 0"]);
    }
}

#[test]
fn older_bundles_compute_in_float32() {
    let bundle = Bundle::load(&folder("tests/data/smolvla_two_cameras")).unwrap();
    assert_eq!(bundle.contract().format_version, "1.0");
    assert_eq!(bundle.contract().compute, Compute::Float32);
    assert!(bundle.contract().weight_bytes().is_empty());
}

#[test]
fn what_it_cannot_compute_is_refused() {
    let copy = Copy::of(&folder("tests/data/smolvla_int8"));
    copy.replace(r#""compute": "int8""#, r#""compute": "int4""#);
    assert_says(&copy.load_error(), &["policy.json", "int4", "int8"]);

    let bundle = Bundle::load(&folder("tests/data/smolvla_int8")).unwrap();
    let cuda = EngineOptions { device: Device::Cuda { index: 0 }, ..options() };
    let message = Engine::new(&bundle, &cuda).err().unwrap().to_string();
    assert_says(&message, &["int8", "cuda:0", "--device cpu", "--dtype fp16"]);
}
