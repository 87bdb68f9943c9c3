//! Whether the values of `policy.json` fit each other and this runtime.

use super::files::is_plain_name;
use super::manifest::{Dtype, GraphContract, Manifest, TensorContract, VectorContract};
use crate::policy::PolicyError;
use crate::types::{JOINT_COUNT, Joint, MAX_HORIZON};

/// Far above any real policy; below it no product of two dimensions overflows.
const LARGEST_DIMENSION: usize = 1 << 20;
const LARGEST_PICTURE: usize = 8192;
const EXPORT_AGAIN: &str = "Export the policy again";
const UNSUPPORTED: &str =
    "This roarm does not support it: update roarm, or train and export with the expected setting";

/// Checks every field that the runtime relies on.
pub(super) fn check(manifest: &Manifest) -> Result<(), PolicyError> {
    text("policy_type", &manifest.policy_type, "smolvla")?;
    text("frame", &manifest.frame, "sdk_degrees")?;
    text("cameras.pad_side", &manifest.cameras.pad_side, "left_top")?;
    text("language.padding_side", &manifest.language.padding_side, "right")?;
    dimensions(manifest)?;
    chunk(manifest)?;
    vector("state", &manifest.state)?;
    vector("action", &manifest.action)?;
    numbers(manifest)?;
    slots(manifest)?;
    for (field, file) in [
        ("normalization.file", &manifest.normalization.file),
        ("language.file", &manifest.language.file),
        ("graphs.vision.file", &manifest.graphs.vision.file),
        ("graphs.prefix.file", &manifest.graphs.prefix.file),
        ("graphs.denoise.file", &manifest.graphs.denoise.file),
    ] {
        require(is_plain_name(file), field, &format!("`{file}`"), "a plain file name", EXPORT_AGAIN)?;
    }
    graphs(manifest)
}

fn dimensions(manifest: &Manifest) -> Result<(), PolicyError> {
    let Manifest { cameras, language, flow, prefix, .. } = manifest;
    for (field, value, largest) in [
        ("cameras.input_height", cameras.input_height, LARGEST_PICTURE),
        ("cameras.input_width", cameras.input_width, LARGEST_PICTURE),
        ("cameras.tokens_per_image", cameras.tokens_per_image, LARGEST_DIMENSION),
        ("language.width", language.width, LARGEST_DIMENSION),
        ("flow.steps", flow.steps, 1000),
        ("flow.time_embedding_dim", flow.time_embedding_dim, LARGEST_DIMENSION),
        ("prefix.length", prefix.length, LARGEST_DIMENSION),
        ("prefix.hidden", prefix.hidden, LARGEST_DIMENSION),
        ("prefix.layers", prefix.layers, LARGEST_DIMENSION),
        ("prefix.kv_heads", prefix.kv_heads, LARGEST_DIMENSION),
        ("prefix.head_dim", prefix.head_dim, LARGEST_DIMENSION),
    ] {
        require((1..=largest).contains(&value), field, &value, &format!("1 to {largest}"), EXPORT_AGAIN)?;
    }
    let even = flow.time_embedding_dim.is_multiple_of(2);
    require(even, "flow.time_embedding_dim", &flow.time_embedding_dim, "an even number", EXPORT_AGAIN)?;
    require(cameras.empty <= 16, "cameras.empty", &cameras.empty, "0 to 16", EXPORT_AGAIN)?;
    let tokens = manifest.camera_places() * cameras.tokens_per_image + language.width + 1;
    require(
        prefix.length == tokens,
        "prefix.length",
        &prefix.length,
        &format!("{tokens} (image tokens + language.width + 1)"),
        EXPORT_AGAIN,
    )
}

fn chunk(manifest: &Manifest) -> Result<(), PolicyError> {
    let chunk = &manifest.chunk;
    require(
        (1..=MAX_HORIZON).contains(&chunk.horizon),
        "chunk.horizon",
        &chunk.horizon,
        &format!("1 to {MAX_HORIZON}"),
        "Train with a shorter chunk_size",
    )?;
    require(
        (1..=chunk.horizon).contains(&chunk.n_action_steps),
        "chunk.n_action_steps",
        &chunk.n_action_steps,
        &format!("1 to the horizon, {}", chunk.horizon),
        EXPORT_AGAIN,
    )?;
    match chunk.fps {
        Some(fps) => require(
            fps.is_finite() && fps > 0.0 && fps <= 1000.0,
            "chunk.fps",
            &fps,
            "above 0, up to 1000",
            EXPORT_AGAIN,
        ),
        None => Ok(()),
    }
}

fn vector(field: &str, vector: &VectorContract) -> Result<(), PolicyError> {
    text(&format!("{field}.normalization"), &vector.normalization, "mean_std")?;
    require(
        vector.dim == JOINT_COUNT,
        &format!("{field}.dim"),
        &vector.dim,
        &format!("{JOINT_COUNT}, the joints of a RoArm-M3"),
        "Use a policy that was trained on this arm",
    )?;
    require(
        (JOINT_COUNT..=4096).contains(&vector.padded_dim),
        &format!("{field}.padded_dim"),
        &vector.padded_dim,
        &format!("{JOINT_COUNT} to 4096"),
        EXPORT_AGAIN,
    )?;
    require(
        vector.names.len() == vector.dim,
        &format!("{field}.names"),
        &format!("{} names", vector.names.len()),
        &format!("{} names", vector.dim),
        EXPORT_AGAIN,
    )?;
    // Names are the dataset's; those that are ours must stand where ours stand, or joints would be swapped.
    for (index, name) in vector.names.iter().enumerate() {
        let stem = name.split('.').next().unwrap_or(name);
        if let Some(joint) = Joint::ALL.iter().find(|joint| joint.name() == stem) {
            require(
                joint.index() == index,
                &format!("{field}.names[{index}]"),
                &format!("`{name}`"),
                &format!("`{}`", Joint::ALL[index]),
                "Reorder the dataset's joints to base, shoulder, elbow, wrist, roll, gripper",
            )?;
        }
    }
    Ok(())
}

fn numbers(manifest: &Manifest) -> Result<(), PolicyError> {
    let eps = manifest.normalization.eps;
    require((0.0..1.0).contains(&eps), "normalization.eps", &eps, "0 to below 1", EXPORT_AGAIN)?;
    let [low, high] = manifest.cameras.range;
    let ordered = low.is_finite() && high.is_finite() && low < high;
    require(
        ordered,
        "cameras.range",
        &format!("[{low}, {high}]"),
        "two rising finite numbers",
        EXPORT_AGAIN,
    )?;
    let pad = manifest.cameras.pad_value;
    require((0.0..=1.0).contains(&pad), "cameras.pad_value", &pad, "0 to 1", EXPORT_AGAIN)?;
    let (shortest, longest) = (manifest.flow.min_period, manifest.flow.max_period);
    let rising = shortest > 0.0 && shortest < longest && longest.is_finite();
    require(
        rising,
        "flow.min_period",
        &format!("{shortest} with max_period {longest}"),
        "0 < min_period < max_period",
        EXPORT_AGAIN,
    )
}

fn slots(manifest: &Manifest) -> Result<(), PolicyError> {
    let slots = &manifest.cameras.slots;
    let count = slots.len();
    require(
        (1..=16).contains(&count),
        "cameras.slots",
        &format!("{count} cameras"),
        "1 to 16 cameras",
        "Train with at least one camera",
    )?;
    for (index, slot) in slots.iter().enumerate() {
        let unique = slots.iter().skip(index + 1).all(|other| other.name != slot.name);
        require(
            unique && !slot.name.is_empty(),
            "cameras.slots",
            &format!("`{}`", slot.name),
            "a name that no other slot has",
            EXPORT_AGAIN,
        )?;
    }
    Ok(())
}

/// Inputs and outputs of each graph as the dimensions demand them.
fn graphs(manifest: &Manifest) -> Result<(), PolicyError> {
    let Manifest { cameras, language, flow, prefix, state, action, chunk, .. } = manifest;
    let float = |name: &str, shape: &[usize]| tensor(name, Dtype::Float32, shape);
    let image_tokens = manifest.camera_places() * cameras.tokens_per_image;
    let mask = tensor("prefix_pad_masks", Dtype::Bool, &[1, prefix.length]);
    let cache = [prefix.layers, 1, prefix.length, prefix.kv_heads, prefix.head_dim];
    let caches = [float("k_cache", &cache), float("v_cache", &cache)];
    let actions = [1, chunk.horizon, action.padded_dim];

    let vision_in = [float("pixels", &[1, 3, cameras.input_height, cameras.input_width])];
    let vision_out = [float("img_emb", &[1, cameras.tokens_per_image, prefix.hidden])];
    graph("vision", &manifest.graphs.vision, &vision_in, &vision_out)?;

    let prefix_in = [
        float("img_emb", &[1, image_tokens, prefix.hidden]),
        tensor("img_pad", Dtype::Bool, &[1, image_tokens]),
        tensor("lang_tokens", Dtype::Int64, &[1, language.width]),
        tensor("lang_masks", Dtype::Bool, &[1, language.width]),
        float("state", &[1, state.padded_dim]),
    ];
    let prefix_out = [std::slice::from_ref(&mask), &caches].concat();
    graph("prefix", &manifest.graphs.prefix, &prefix_in, &prefix_out)?;

    let step = [float("x_t", &actions), float("time_emb", &[1, flow.time_embedding_dim]), mask];
    let denoise_in = [step.as_slice(), &caches].concat();
    graph("denoise", &manifest.graphs.denoise, &denoise_in, &[float("v_t", &actions)])
}

fn graph(
    name: &str,
    graph: &GraphContract,
    inputs: &[TensorContract],
    outputs: &[TensorContract],
) -> Result<(), PolicyError> {
    for (side, expected, found) in [("inputs", inputs, &graph.inputs), ("outputs", outputs, &graph.outputs)] {
        for tensor in expected {
            let field = format!("graphs.{name}.{side}.{}", tensor.name);
            let Some(other) = found.iter().find(|other| other.name == tensor.name) else {
                return Err(contract(&field, &"missing", &tensor.to_string(), EXPORT_AGAIN));
            };
            if other.dtype == Dtype::Float16 {
                let fix = "This roarm feeds and reads float32 only: export with float32 inputs and outputs (weights may be float16)";
                return Err(contract(&field, &other, &tensor.to_string(), fix));
            }
            require(other == tensor, &field, &other, &tensor.to_string(), EXPORT_AGAIN)?;
        }
        require(
            found.len() == expected.len(),
            &format!("graphs.{name}.{side}"),
            &format!("{} tensors", found.len()),
            &format!("{} tensors", expected.len()),
            UNSUPPORTED,
        )?;
    }
    Ok(())
}

fn tensor(name: &str, dtype: Dtype, shape: &[usize]) -> TensorContract {
    TensorContract { name: name.to_owned(), dtype, shape: shape.to_vec() }
}

fn text(field: &str, found: &str, expected: &str) -> Result<(), PolicyError> {
    require(found == expected, field, &format!("`{found}`"), &format!("`{expected}`"), UNSUPPORTED)
}

fn require(
    holds: bool,
    field: &str,
    found: &dyn std::fmt::Display,
    expected: &str,
    fix: &'static str,
) -> Result<(), PolicyError> {
    if holds { Ok(()) } else { Err(contract(field, found, expected, fix)) }
}

fn contract(field: &str, found: &dyn std::fmt::Display, expected: &str, fix: &'static str) -> PolicyError {
    PolicyError::Contract {
        field: field.to_owned(),
        found: found.to_string(),
        expected: expected.to_owned(),
        fix,
    }
}
