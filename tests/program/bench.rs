//! `roarm policy bench`.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::support::bundle_copy::shipped_bundle;
use crate::support::program::{Ended, roarm};

const STAGES: [&str; 6] = ["preprocess", "vision", "prefix", "flow", "denormalise", "total"];

fn bench(arguments: &[&str]) -> Ended {
    let bundle = shipped_bundle();
    roarm(["policy", "bench", bundle.to_str().unwrap(), "--warm-up", "1"].iter().chain(arguments))
}

#[test]
fn it_times_every_stage_of_every_variant() {
    let ended =
        bench(&["--chunks", "5", "--threads", "1,2", "--spinning", "off,on", "--json", "--bandwidth", "100"]);
    let report = ended.assert_code(0).json();
    let contenders = report["contenders"].as_array().unwrap();
    let variants: Vec<_> = contenders
        .iter()
        .map(|one| (one["threads"].as_u64().unwrap(), one["spinning"].as_bool().unwrap()))
        .collect();
    assert_eq!(variants, [(1, false), (1, true), (2, false), (2, true)]);
    for contender in contenders {
        let p50 = |stage: &str| contender["stages_ms"][stage]["p50"].as_f64().unwrap();
        for stage in STAGES {
            let quantile = |name: &str| contender["stages_ms"][stage][name].as_f64().unwrap();
            assert!(quantile("p50") <= quantile("p95") && quantile("p95") <= quantile("p99"), "{contender}");
        }
        assert!(p50("flow") > 0.0 && p50("total") >= p50("flow"), "{contender}");
        assert_eq!(contender["device"], "cpu");
    }
    assert_eq!(report["library"], "1.31");
    assert_eq!(report["model_sha256"].as_str().unwrap().len(), 64);
    assert!(report["memory"]["peak_bytes"].as_u64() >= report["memory"]["resident_bytes"].as_u64());
    // Vision once, prefix once, denoise ten times.
    let graph = |name: &str| report["weights"]["graphs"][name].as_u64().unwrap();
    let bytes = graph("vision") + graph("prefix") + 10 * graph("denoise");
    assert_eq!(report["weights"]["bytes_per_chunk"], bytes);
    let least = report["least_ms"].as_f64().unwrap();
    assert!((least / (bytes as f64 / 100e9 * 1e3) - 1.0).abs() < 1e-9);
}

#[test]
fn it_prints_a_table() {
    let ended = bench(&["--chunks", "2"]);
    let table = &ended.assert_code(0).stdout;
    for stage in STAGES {
        assert!(table.lines().any(|line| line.starts_with(stage)), "{table}");
    }
    crate::support::bundle_copy::assert_says(
        table,
        &["ONNX Runtime 1.31", "weights read a chunk", "resident"],
    );
}

#[test]
fn a_device_that_is_not_there_is_refused() {
    bench(&["--device", "cpu,cuda"]).assert_error(3, &["CUDA execution provider is not available"]);
    bench(&["--device", "tensorrt"]).assert_error(3, &["TensorRT execution provider is not available"]);
    bench(&["--device", "gpu"]).assert_code(2);
    bench(&["--chunks", "0"]).assert_code(2);
    bench(&["--bandwidth", "0"]).assert_error(2, &["--bandwidth", "above 0"]);
}

fn checkpoint() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/smolvla_tiny/pretrained_model")
}

#[test]
fn a_python_without_torch_is_refused_with_the_fix() {
    let checkpoint = checkpoint();
    let against = ["--against", "pytorch", "--checkpoint", checkpoint.to_str().unwrap(), "--python"];
    let with = |python: &str| bench(&against.iter().copied().chain([python]).collect::<Vec<_>>());
    with("/nowhere/python").assert_error(3, &["/nowhere/python cannot be started", "--python"]);
    // No packages at all, whatever this machine has.
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("python");
    std::fs::write(&bare, "#!/bin/sh\nexec python3 -I -S \"$@\"\n").unwrap();
    std::fs::set_permissions(&bare, std::fs::Permissions::from_mode(0o755)).unwrap();
    with(bare.to_str().unwrap()).assert_error(3, &["has no", "setup_environment.py"]);
    bench(&["--against", "pytorch"]).assert_code(2);
}

#[test]
fn other_weights_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("model.safetensors"), "other").unwrap();
    let arguments = ["--against", "pytorch", "--checkpoint", folder.path().to_str().unwrap()];
    bench(&arguments).assert_error(3, &["SHA-256", "exported from", "unfair"]);
}
