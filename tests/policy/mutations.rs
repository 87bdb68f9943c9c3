//! Bundles damaged at random: an error or a bundle, never a panic.

use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::Copy;

/// A copy whose graphs are empty, since loading a bundle only hashes them: quick to load.
fn light_copy() -> Copy {
    let copy = Copy::new();
    for file in ["vision.onnx", "prefix.onnx", "denoise.onnx", "parity.safetensors"] {
        fs::write(copy.path(file), b"").unwrap();
    }
    copy.write_checksums();
    copy
}

/// Loads the bundle and, where that is possible, reads a task with it.
fn exercise(copy: &Copy) {
    if let Ok(bundle) = copy.load() {
        let _ = bundle.tokenizer().encode("Open the gripper, 2 cm.");
        let _ = bundle.summary();
    }
}

/// Replaces the `number`-th value of a JSON tree (counted depth first) by `with`.
fn replace_nth(value: &mut Value, number: &mut usize, with: &Value) {
    if *number == 0 {
        *value = with.clone();
    }
    *number = number.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace_nth(item, number, with)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace_nth(field, number, with)),
        _ => {}
    }
}

fn odd_value() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(7),
        json!(u64::MAX),
        json!(1_u64 << 40),
        json!(1e308),
        json!(0.5),
        json!(""),
        json!("float16"),
        json!("../.."),
        json!([]),
        json!([0]),
        json!([u64::MAX, u64::MAX]),
        json!({}),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_of_the_manifest_may_be_odd(number in 0_usize..220, with in odd_value()) {
        let copy = light_copy();
        copy.change("policy.json", |bytes| {
            let mut json: Value = serde_json::from_slice(bytes).unwrap();
            replace_nth(&mut json, &mut number.clone(), &with);
            *bytes = serde_json::to_vec(&json).unwrap();
        });
        exercise(&copy);
    }

    #[test]
    fn any_value_of_the_tokenizer_may_be_odd(number in prop_oneof![0_usize..120, 0_usize..1800], with in odd_value()) {
        let copy = light_copy();
        copy.change("tokenizer.json", |bytes| {
            let mut json: Value = serde_json::from_slice(bytes).unwrap();
            replace_nth(&mut json, &mut number.clone(), &with);
            *bytes = serde_json::to_vec(&json).unwrap();
        });
        exercise(&copy);
    }

    #[test]
    fn any_bytes_of_the_small_files_may_be_damaged(
        file in prop::sample::select(vec!["policy.json", "tokenizer.json", "normalization.safetensors", "SHA256SUMS", "parity.json"]),
        position: prop::sample::Index,
        byte: u8,
        truncate: bool,
    ) {
        let copy = light_copy();
        let damage = |bytes: &mut Vec<u8>| {
            let position = position.index(bytes.len());
            if truncate { bytes.truncate(position) } else { bytes[position] = byte }
        };
        if file == "SHA256SUMS" {
            let mut bytes = fs::read(copy.path(file)).unwrap();
            damage(&mut bytes);
            fs::write(copy.path(file), bytes).unwrap();
        } else {
            copy.change(file, damage);
        }
        exercise(&copy);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_truncated_graph_is_an_error(position: prop::sample::Index) {
        let copy = Copy::new();
        copy.change("vision.onnx", |bytes| { let position = position.index(bytes.len()); bytes.truncate(position) });
        prop_assert!(copy.engine().is_err());
    }

    #[test]
    fn a_damaged_graph_is_an_error_or_a_graph(position: prop::sample::Index, byte: u8, from_end: bool) {
        let copy = Copy::new();
        copy.change("vision.onnx", |bytes| {
            // The graph's structure lies near both ends, the weights between.
            let near = position.index(8192);
            let position = if from_end { bytes.len() - 1 - near } else { near };
            bytes[position] = byte;
        });
        let _ = copy.engine();
    }
}
