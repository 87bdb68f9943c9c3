"""The shipped bundle `models/smolvla-tiny` against LeRobot's own numbers. Needs requirements-light.txt only; no PyTorch."""

from __future__ import annotations

import hashlib
import json
import re

import numpy as np
import onnxruntime
import pytest
from numpy_policy import NONE, Mistakes, resize_with_pad, run_policy
from safetensors.numpy import load_file

from locations import BUNDLE, CHECKPOINT, GOLDEN, TASK, TINY, VLM

FRONT = "observation.images.front"
ONNX_DTYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(int64)": "int64", "tensor(bool)": "bool"}


@pytest.fixture(scope="module")
def policy() -> dict:
    return json.loads((BUNDLE / "policy.json").read_text())


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    return dict(np.load(GOLDEN))


@pytest.fixture(scope="module")
def limits() -> dict[str, float]:
    return json.loads((BUNDLE / "parity.json").read_text())["limits"]


def run(golden: dict[str, np.ndarray], mistakes: Mistakes = NONE) -> dict[str, np.ndarray]:
    return run_policy(BUNDLE, {FRONT: golden["image"]}, golden["state"], TASK, golden["noise"], mistakes)


def largest(ours: np.ndarray, theirs: np.ndarray) -> float:
    assert ours.shape == theirs.shape
    return float(np.abs(ours.astype(np.float64) - theirs).max())


def test_checksums_cover_every_file():
    lines = (BUNDLE / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    present = {path.name for path in BUNDLE.iterdir()} - {"SHA256SUMS", "README.md"}
    assert set(listed) == present
    for name, digest in listed.items():
        assert hashlib.sha256((BUNDLE / name).read_bytes()).hexdigest() == digest, name


def test_provenance_names_the_checkpoint_in_this_repository(policy):
    weights = CHECKPOINT / "model.safetensors"
    provenance = policy["provenance"]
    assert provenance["checkpoint_sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert provenance["parameters"] == sum(array.size for array in load_file(weights).values())
    assert provenance["packages"]["lerobot"] == "0.4.4"
    assert provenance["packages"]["transformers"] == "4.57.6"


@pytest.mark.parametrize("name", ["vision", "prefix", "denoise"])
def test_policy_json_describes_the_graphs(policy, name):
    session = onnxruntime.InferenceSession(str(BUNDLE / f"{name}.onnx"), providers=["CPUExecutionProvider"])
    for tensors, described in ((session.get_inputs(), "inputs"), (session.get_outputs(), "outputs")):
        found = [{"name": tensor.name, "dtype": ONNX_DTYPES[tensor.type], "shape": tensor.shape} for tensor in tensors]
        assert found == policy["graphs"][name][described]


def test_dimensions_agree_with_each_other(policy):
    prefix, cameras = policy["prefix"], policy["cameras"]
    images = (len(cameras["slots"]) + cameras["empty"]) * cameras["tokens_per_image"]
    assert prefix["length"] == images + policy["language"]["width"] + 1
    shapes = {tensor["name"]: tensor["shape"] for graph in policy["graphs"].values() for tensor in graph["inputs"] + graph["outputs"]}
    assert shapes["k_cache"] == shapes["v_cache"] == [prefix["layers"], 1, prefix["length"], prefix["kv_heads"], prefix["head_dim"]]
    assert shapes["x_t"] == shapes["v_t"] == [1, policy["chunk"]["horizon"], policy["action"]["padded_dim"]]
    assert shapes["time_emb"] == [1, policy["flow"]["time_embedding_dim"]]
    assert shapes["state"] == [1, policy["state"]["padded_dim"]]
    assert shapes["pixels"] == [1, 3, cameras["input_height"], cameras["input_width"]]
    assert shapes["lang_tokens"] == shapes["lang_masks"] == [1, policy["language"]["width"]]
    assert shapes["img_pad"] == [1, images]


def test_contract_comes_from_the_checkpoint(policy):
    config = json.loads((CHECKPOINT / "config.json").read_text())
    assert policy["format"] == "roarm-policy" and policy["format_version"] == "1.2"
    assert policy["chunk"] == {"horizon": config["chunk_size"], "n_action_steps": config["n_action_steps"], "fps": 30}
    assert policy["flow"]["steps"] == config["num_steps"]
    assert [slot["name"] for slot in policy["cameras"]["slots"]] == [FRONT]
    assert policy["language"]["width"] == config["tokenizer_max_length"]
    assert policy["vision_position_ids"] == "shifted"


def test_nothing_tells_of_the_machine_that_exported():
    path_of_a_machine = re.compile(rb"(?:/[A-Za-z0-9_.-]{3,}){2,}|site-packages|stack_trace")
    assert path_of_a_machine.search(b"x /usr/lib/python3")
    for path in BUNDLE.iterdir():
        if path.name != "README.md":
            assert path_of_a_machine.search(path.read_bytes()) is None, path.name


def test_parity_is_golden_converted_bit_by_bit(policy, golden):
    parity = load_file(BUNDLE / "parity.safetensors")
    padded = np.zeros(policy["state"]["padded_dim"], np.float32)
    padded[: golden["state_norm"].size] = golden["state_norm"][0]
    expected = {
        f"image.{FRONT}": golden["image"],
        "state": golden["state"],
        "lang_tokens": golden["lang_tokens"][0],
        "lang_mask": golden["lang_mask"][0].astype(np.uint8),
        "state_norm": padded,
        f"pixels.{FRONT}": golden["pixels"],
        "noise": golden["noise"],
        "chunk_norm": golden["chunk_norm"],
        "chunk": golden["chunk"],
        "img_emb": golden["img_emb"],
        "k_cache": golden["k_cache_h"],
        "v_cache": golden["v_cache_h"],
        "v_t_first": golden["v_t_first"],
    }
    assert {name for name in parity if not name.startswith("real_time_chunking.")} == set(expected)
    for name, array in expected.items():
        assert parity[name].dtype == array.dtype and parity[name].shape == array.shape, name
        assert parity[name].tobytes() == np.ascontiguousarray(array).tobytes(), name
    assert json.loads((BUNDLE / "parity.json").read_text())["task"] == TASK


def test_statistics_are_the_checkpoints_bit_by_bit():
    shipped = load_file(BUNDLE / "normalization.safetensors")
    state = load_file(CHECKPOINT / "policy_preprocessor_step_5_normalizer_processor.safetensors")
    action = load_file(CHECKPOINT / "policy_postprocessor_step_0_unnormalizer_processor.safetensors")
    assert len(shipped) == 8
    for name, array in shipped.items():
        source = state if name.startswith("observation.state.") else action
        assert array.dtype == np.float32 and array.tobytes() == source[name].tobytes(), name


def test_tokenizer_is_the_vlms():
    assert (BUNDLE / "tokenizer.json").read_bytes() == (VLM / "tokenizer.json").read_bytes()


def test_limits_are_the_contracts(limits):
    assert limits == {"state_norm": 1e-5, "pixels": 1e-5, "chunk_norm": 1e-4, "chunk": 5e-3}


def test_numpy_and_onnxruntime_reach_lerobots_actions(golden, limits):
    ours = run(golden)
    assert (ours["lang_tokens"] == golden["lang_tokens"][0]).all()
    assert (ours["lang_mask"] == golden["lang_mask"][0]).all()
    assert largest(ours["state_norm"][:6], golden["state_norm"][0]) <= limits["state_norm"]
    assert largest(ours[f"pixels.{FRONT}"], golden["pixels"]) <= limits["pixels"]
    for name, key in (("img_emb", "img_emb"), ("k_cache", "k_cache_h"), ("v_cache", "v_cache_h"), ("v_t_first", "v_t_first")):
        assert largest(ours[name], golden[key]) <= 1e-4, name
    assert largest(ours["chunk_norm"], golden["chunk_norm"]) <= limits["chunk_norm"]
    assert largest(ours["chunk"], golden["chunk"]) <= limits["chunk"]


@pytest.mark.parametrize(
    "mistake", ["radians", "gripper_sign", "swapped_joints", "no_newline", "no_pixel_shift", "unmasked_padding", "frozen_time"]
)
def test_a_mistake_is_beyond_the_limits(golden, limits, mistake):
    wrong = run(golden, Mistakes(**{mistake: True}))
    # The random weights react little to the state: two swapped joints move the chunk by 8.6e-4 only.
    assert largest(wrong["chunk_norm"], golden["chunk_norm"]) > 5 * limits["chunk_norm"]


def test_resize_with_pad_is_lerobots():
    resize = np.load(TINY / "golden_resize.npz")
    image = resize["image_u8"].astype(np.float32) / np.float32(255)
    assert largest(resize_with_pad(image, 512, 512), resize["out"]) <= 1e-4
    assert largest(resize_with_pad(image, 512, 512, Mistakes(pad_right_bottom=True)), resize["out"]) > 1
