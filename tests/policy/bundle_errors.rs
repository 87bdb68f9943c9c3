//! Damaged and unsuitable bundles: each is refused with its cause and fix.

use std::fs;
use std::path::Path;

use roarm::policy::{Bundle, CameraFit};

use crate::support::{Copy, assert_says, bundle_folder};

#[test]
fn the_shipped_bundle_loads() {
    let bundle = Bundle::load(&bundle_folder()).unwrap();
    assert_eq!((bundle.horizon(), bundle.n_action_steps(), bundle.fps()), (50, 50, Some(30.0)));
    assert_eq!(bundle.slots()[0].name, "observation.images.front");
    let statistics = bundle.normalization().state;
    for joint in 0..6 {
        assert!(
            statistics.min[joint] <= statistics.mean[joint]
                && statistics.mean[joint] <= statistics.max[joint]
        );
    }
    let summary = bundle.summary();
    assert_eq!(summary.files.len(), 8);
    assert!(summary.total_bytes > 3_000_000);
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(json["contract"]["provenance"]["packages"]["lerobot"], "0.4.4");
}

#[test]
fn a_folder_without_a_manifest_is_no_bundle() {
    let empty = tempfile::tempdir().unwrap();
    for folder in [empty.path(), Path::new("/nowhere/at/all")] {
        let message = Bundle::load(folder).unwrap_err().to_string();
        assert_says(&message, &[folder.to_str().unwrap(), "no policy.json", "roarm_export"]);
    }
}

#[test]
fn every_missing_file_is_named() {
    for file in [
        "vision.onnx",
        "prefix.onnx",
        "denoise.onnx",
        "tokenizer.json",
        "normalization.safetensors",
        "parity.safetensors",
        "parity.json",
        "SHA256SUMS",
    ] {
        let copy = Copy::new();
        fs::remove_file(copy.path(file)).unwrap();
        assert_says(&copy.load_error(), &["lacks", file, "again"]);
    }
}

#[test]
fn every_changed_byte_is_seen() {
    for file in ["policy.json", "denoise.onnx", "tokenizer.json", "normalization.safetensors", "parity.json"]
    {
        let copy = Copy::new();
        let mut bytes = fs::read(copy.path(file)).unwrap();
        let last = bytes.len() - 3;
        bytes[last] ^= 1;
        fs::write(copy.path(file), bytes).unwrap();
        assert_says(
            &copy.load_error(),
            &[file, "does not match SHA256SUMS", "expected", "found", "copy the bundle again"],
        );
    }
}

#[test]
fn truncated_files_are_seen_even_with_their_own_hash() {
    for file in ["policy.json", "tokenizer.json", "normalization.safetensors"] {
        let copy = Copy::new();
        copy.change(file, |bytes| bytes.truncate(bytes.len() / 2));
        assert_says(&copy.load_error(), &[file, "damaged", "export it again"]);
    }
}

#[test]
fn a_file_without_a_checksum_is_not_trusted() {
    let copy = Copy::new();
    let sums = fs::read_to_string(copy.path("SHA256SUMS")).unwrap();
    let without: String =
        sums.lines().filter(|line| !line.ends_with("vision.onnx")).map(|line| format!("{line}\n")).collect();
    fs::write(copy.path("SHA256SUMS"), without).unwrap();
    assert_says(&copy.load_error(), &["SHA256SUMS has no line for vision.onnx"]);
}

#[test]
fn a_newer_major_version_names_the_roarm_that_is_needed() {
    let copy = Copy::new();
    copy.replace(r#""format_version": "1.2""#, r#""format_version": "2.1""#);
    assert_says(&copy.load_error(), &["format version 2.1", "reads 1.x", "supports policy format 2.x"]);
}

#[test]
fn a_newer_minor_version_may_add_fields() {
    let copy = Copy::new();
    copy.replace(
        r#""format_version": "1.2","#,
        r#""format_version": "1.9", "colour_space": {"name": "bt601"},"#,
    );
    copy.load().unwrap();
}

#[test]
fn unusable_statistics_are_refused() {
    let cases: [(&str, fn(&mut [f32]), &[&str]); 5] = [
        (
            "observation.state.mean",
            |v| v[2] = f32::NAN,
            &["observation.state.mean", "elbow.pos", "NaN", "finite"],
        ),
        ("action.std", |v| v[5] = f32::INFINITY, &["action.std", "gripper.pos", "inf"]),
        ("action.std", |v| v[0] = 0.0, &["action.std", "base.pos", "is 0", "never moved"]),
        ("observation.state.std", |v| v[1] = -1.0, &["shoulder.pos", "is -1", "above 0"]),
        ("action.min", |v| v[3] = 1e6, &["action.min", "wrist.pos", "above the maximum"]),
    ];
    for (tensor, change, parts) in cases {
        let copy = Copy::new();
        copy.change_tensor("normalization.safetensors", tensor, change);
        assert_says(&copy.load_error(), parts);
        assert_says(&copy.load_error(), &["normalization.safetensors", "export the policy again"]);
    }
}

#[test]
fn missing_statistics_are_refused() {
    let copy = Copy::new();
    copy.change("normalization.safetensors", |bytes| {
        let position = bytes.windows(10).position(|window| window == b"action.std").unwrap();
        bytes[position..position + 10].copy_from_slice(b"action.xxx");
    });
    assert_says(&copy.load_error(), &["action.std is missing", "statistics"]);
}

#[test]
fn what_this_arm_or_runtime_cannot_do_is_refused() {
    let cases: [(&str, &str, &[&str]); 15] = [
        (
            r#""policy_type": "smolvla""#,
            r#""policy_type": "act""#,
            &["policy_type is `act`", "expected `smolvla`"],
        ),
        (
            r#""frame": "sdk_degrees""#,
            r#""frame": "radians""#,
            &["frame is `radians`", "expected `sdk_degrees`"],
        ),
        (r#""horizon": 50"#, r#""horizon": 1000"#, &["chunk.horizon is 1000", "1 to 256", "chunk_size"]),
        (
            r#""n_action_steps": 50"#,
            r#""n_action_steps": 51"#,
            &["chunk.n_action_steps is 51", "1 to the horizon, 50"],
        ),
        (r#""fps": 30"#, r#""fps": 0"#, &["chunk.fps is 0"]),
        (
            r#""dim": 6"#,
            r#""dim": 7"#,
            &["state.dim is 7", "6, the joints of a RoArm-M3", "trained on this arm"],
        ),
        (
            r#""base.pos", "shoulder.pos""#,
            r#""shoulder.pos", "base.pos""#,
            &["state.names[0]", "`shoulder.pos`", "expected `base`"],
        ),
        (
            r#""normalization": "mean_std""#,
            r#""normalization": "min_max""#,
            &["state.normalization is `min_max`"],
        ),
        (r#""pad_side": "left_top""#, r#""pad_side": "centre""#, &["cameras.pad_side is `centre`"]),
        (r#""width": 48"#, r#""width": 24"#, &["prefix.length is 53", "29"]),
        (r#""time_embedding_dim": 72"#, r#""time_embedding_dim": 71"#, &["time_embedding_dim is 71", "even"]),
        (
            r#""layers": 4"#,
            r#""layers": 5"#,
            &[
                "graphs.prefix.outputs.k_cache",
                "float32 [4, 1, 53, 2, 16]",
                "expected float32 [5, 1, 53, 2, 16]",
            ],
        ),
        (
            r#""name": "v_t", "dtype": "float32""#,
            r#""name": "v_t", "dtype": "float16""#,
            &["graphs.denoise.outputs.v_t", "float16", "float32 inputs and outputs"],
        ),
        (r#""name": "pixels""#, r#""name": "image""#, &["graphs.vision.inputs.pixels is missing"]),
        (
            r#""file": "vision.onnx""#,
            r#""file": "../vision.onnx""#,
            &["graphs.vision.file", "plain file name"],
        ),
    ];
    for (from, to, parts) in cases {
        let copy = Copy::new();
        copy.replace(from, to);
        assert_says(&copy.load_error(), parts);
        assert_says(&copy.load_error(), &["policy.json"]);
    }
}

#[test]
fn a_tokenizer_that_its_library_would_choke_on_is_refused() {
    let copy = Copy::new();
    copy.change("tokenizer.json", |bytes| {
        let mut json: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        json["model"]["continuing_subword_prefix"] = "float16".into();
        *bytes = serde_json::to_vec(&json).unwrap();
    });
    assert_says(&copy.load_error(), &["tokenizer.json", "continuing_subword_prefix", "float16"]);
}

#[test]
fn the_pad_token_must_exist() {
    let copy = Copy::new();
    copy.replace(r#""pad_id": 2"#, r#""pad_id": 99999"#);
    assert_says(&copy.load_error(), &["tokenizer.json", "no token 99999"]);
}

#[test]
fn slots_are_found_by_full_and_short_name() {
    let bundle = Bundle::load(&bundle_folder()).unwrap();
    assert_eq!(bundle.slot_index("observation.images.front").unwrap(), 0);
    assert_eq!(bundle.slot_index("front").unwrap(), 0);
    let message = bundle.slot_index("wrist").unwrap_err().to_string();
    assert_says(&message, &["no camera slot `wrist`", "observation.images.front", "--camera front="]);
}

#[test]
fn the_fit_of_a_camera_is_told() {
    let bundle = Bundle::load(&bundle_folder()).unwrap();
    let slot = &bundle.slots()[0];
    assert_eq!(slot.fit(96, 96), CameraFit::Same);
    assert_eq!(slot.fit(480, 480), CameraFit::Scaled);
    assert_eq!(slot.fit(640, 480), CameraFit::OtherAspect);
}
