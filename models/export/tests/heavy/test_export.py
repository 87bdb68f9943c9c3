"""Exports with PyTorch and LeRobot, in the environment that setup_environment.py builds. Belongs to `cargo xtask test-full`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_tensors
from safetensors.torch import save_file as save_tensors

from locations import BUNDLE, CHECKPOINT, GOLDEN, TASK, TWO_CAMERAS, VLM
from roarm_export import graphs, position_ids
from roarm_export.__main__ import main
from roarm_export.errors import ExportError
from roarm_export.export import Request, export
from roarm_export.graph_runner import run_graphs
from two_cameras import TASK as TWO_CAMERAS_TASK
from two_cameras import make_checkpoint

FRONT, WRIST = "observation.images.front", "observation.images.wrist"


def quiet(_line: str) -> None:
    pass


def read(bundle: Path, name: str) -> dict:
    return json.loads((bundle / name).read_text())


def run(bundle: Path, fixture: dict[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
    return run_graphs(bundle, read(bundle, "policy.json"), fixture or load_file(bundle / "parity.safetensors"))


def largest(ours: np.ndarray, theirs: np.ndarray) -> float:
    assert ours.shape == theirs.shape
    return float(np.abs(ours.astype(np.float64) - theirs).max())


@pytest.fixture(scope="module")
def seeded(tmp_path_factory) -> Path:
    """The tiny checkpoint exported by the command line, without a golden file."""
    out = tmp_path_factory.mktemp("seeded") / "bundle"
    assert main([str(CHECKPOINT), "--out", str(out)]) == 0
    return out


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint, with its VLM beside it, to change."""
    shutil.copytree(VLM, tmp_path / "vlm_tiny")
    return shutil.copytree(CHECKPOINT, tmp_path / "pretrained_model")


def test_a_new_export_gives_the_shipped_bundles_numbers(tmp_path):
    out = tmp_path / "bundle"
    differences = export(Request(CHECKPOINT, out, golden=GOLDEN, task=TASK, fps=30), quiet)
    assert differences["chunk_norm"] <= 1e-4
    ours, shipped = run(out), run(BUNDLE)
    for name, array in shipped.items():
        assert largest(ours[name], array) <= 1e-6, name
    for name in ("normalization.safetensors", "tokenizer.json", "parity.json"):
        assert (out / name).read_bytes() == (BUNDLE / name).read_bytes(), name
    ours, shipped = load_file(out / "parity.safetensors"), load_file(BUNDLE / "parity.safetensors")
    assert ours.keys() == shipped.keys()
    for name, array in shipped.items():
        # The golden file has no guided chunks: LeRobot computes them anew, up to the processor's order of additions.
        computed = name.startswith("real_time_chunking") and name.endswith("chunk_norm")
        assert largest(ours[name], array) <= (1e-5 if computed else 0), name
    ours, shipped = read(out, "policy.json"), read(BUNDLE, "policy.json")
    for policy in (ours, shipped):
        policy["provenance"].pop("created")
        policy["provenance"].pop("packages")
    assert ours == shipped


def test_without_golden_lerobot_itself_is_the_reference(seeded):
    fixture, shipped = load_file(seeded / "parity.safetensors"), load_file(BUNDLE / "parity.safetensors")
    assert {name: array.shape for name, array in fixture.items()} == {name: array.shape for name, array in shipped.items()}
    assert {name: array.dtype for name, array in fixture.items()} == {name: array.dtype for name, array in shipped.items()}
    assert largest(run(seeded)["chunk_norm"], fixture["chunk_norm"]) <= 1e-4
    assert fixture[f"image.{FRONT}"].std() > 0.1 and fixture["noise"].std() > 0.9
    policy = read(seeded, "policy.json")
    assert policy["chunk"]["fps"] is None
    # transformers 4.57.6 in float32.
    assert policy["vision_position_ids"] == "shifted"


def test_canonical_ids_give_visibly_different_actions(seeded, tmp_path):
    out = tmp_path / "bundle"
    export(Request(CHECKPOINT, out, vision_ids="canonical"), quiet)
    assert read(out, "policy.json")["vision_position_ids"] == "canonical"
    fixture = load_file(seeded / "parity.safetensors")
    assert largest(run(out, fixture)["chunk_norm"], run(seeded)["chunk_norm"]) > 1e-3
    golden = load_file(BUNDLE / "parity.safetensors")
    assert largest(run(out, golden)["chunk_norm"], golden["chunk_norm"]) > 1e-3


def test_ids_that_contradict_the_golden_file_are_refused(tmp_path):
    with pytest.raises(ExportError, match="contradicts the golden file"):
        export(Request(CHECKPOINT, tmp_path / "bundle", vision_ids="canonical", golden=GOLDEN, task=TASK), quiet)
    assert not (tmp_path / "bundle").exists()


def test_a_checkpoint_as_a_gpu_machine_writes_it(checkpoint):
    """VLM in bfloat16, everything on CUDA, padding to the longest task, a renamed camera, a hub name for the VLM."""
    weights = load_tensors(checkpoint / "model.safetensors")
    weights = {name: tensor.to(torch.bfloat16) if ".vlm." in name else tensor for name, tensor in weights.items()}
    save_tensors(weights, checkpoint / "model.safetensors")
    hub_name = "HuggingFaceTB/SmolVLM2-500M-Video-Instruct"
    config = read(checkpoint, "config.json") | {"device": "cuda", "load_vlm_weights": True, "vlm_model_name": hub_name}
    (checkpoint / "config.json").write_text(json.dumps(config))
    changes = {
        "device_processor": {"device": "cuda"},
        "tokenizer_processor": {"padding": "longest", "tokenizer_name": hub_name},
        "rename_observations_processor": {"rename_map": {FRONT: WRIST}},
    }
    for file in ("policy_preprocessor.json", "policy_postprocessor.json"):
        processor = read(checkpoint, file)
        for step in processor["steps"]:
            step["config"] |= changes.get(step["registry_name"], {})
        (checkpoint / file).write_text(json.dumps(processor))
    out = checkpoint.parent / "bundle"
    export(Request(checkpoint, out, vlm=VLM), quiet)
    policy = read(out, "policy.json")
    assert policy["vision_position_ids"] == "canonical"
    assert policy["provenance"]["training_dtype"] == "bfloat16"
    assert [slot["name"] for slot in policy["cameras"]["slots"]] == [FRONT]
    assert load_file(out / "parity.safetensors")["lang_tokens"].shape == (48,)


def test_two_cameras_and_an_empty_slot(checkpoint):
    config = read(checkpoint, "config.json")
    config["input_features"] = {
        WRIST: {"type": "VISUAL", "shape": [3, 120, 160]},
        FRONT: {"type": "VISUAL", "shape": [3, 96, 96]},
        "observation.state": config["input_features"]["observation.state"],
        "observation.images.empty_camera_0": {"type": "VISUAL", "shape": [3, 480, 640]},
    }
    config["empty_cameras"] = 1
    (checkpoint / "config.json").write_text(json.dumps(config))
    out = checkpoint.parent / "bundle"
    differences = export(Request(checkpoint, out, task="Stack the cubes."), quiet)
    assert max(differences.values()) <= 1e-4
    policy = read(out, "policy.json")
    assert [slot["name"] for slot in policy["cameras"]["slots"]] == [WRIST, FRONT]
    assert policy["cameras"]["empty"] == 1
    assert policy["prefix"]["length"] == 3 * 4 + 48 + 1
    # The order of the slots matters, and the parity fixture shows it.
    fixture = load_file(out / "parity.safetensors")
    exchanged = fixture | {f"pixels.{WRIST}": fixture[f"pixels.{FRONT}"], f"pixels.{FRONT}": fixture[f"pixels.{WRIST}"]}
    assert largest(run(out, exchanged)["chunk_norm"], fixture["chunk_norm"]) > 1e-4


def test_the_shipped_two_camera_bundle_is_made_again(tmp_path):
    out = tmp_path / "bundle"
    export(Request(make_checkpoint(tmp_path), out, task=TWO_CAMERAS_TASK, fps=30), quiet)
    # The seed gives the same weights, and LeRobot the same answers, up to the processor's order of additions.
    ours, shipped = load_file(out / "parity.safetensors"), load_file(TWO_CAMERAS / "parity.safetensors")
    # It was exported in format 1.0 and stays so, to show that such bundles are read.
    assert {name for name in ours if not name.startswith("real_time_chunking.")} == shipped.keys()
    for name, array in shipped.items():
        assert largest(ours[name], array) <= (1e-3 if name == "chunk" else 1e-4), name
    ours, shipped = read(out, "policy.json"), read(TWO_CAMERAS, "policy.json")
    for policy in (ours, shipped):
        policy["provenance"].pop("created")
        policy["provenance"].pop("packages")
    assert (ours.pop("format_version"), shipped.pop("format_version")) == ("1.2", "1.0")
    assert ours.pop("compute") == "float32"
    assert all(graph.pop("weight_bytes")["float32"] > 100_000 for graph in ours["graphs"].values())
    assert ours == shipped
    assert [slot["name"] for slot in shipped["cameras"]["slots"]] == [WRIST, FRONT]
    assert shipped["cameras"]["empty"] == 1


def test_graphs_that_differ_from_pytorch_are_refused(monkeypatch, capsys, tmp_path):
    correct = graphs.rotary_by_concatenation
    # The base in the VLM's own config, which LeRobot does not use.
    monkeypatch.setattr(graphs, "rotary_by_concatenation", lambda x, positions: correct(x, positions, 100_000))
    assert main([str(CHECKPOINT), "--out", str(tmp_path / "bundle")]) == 1
    message = capsys.readouterr().err
    assert "differ from PyTorch" in message and "limit 1e-04" in message
    assert list(tmp_path.iterdir()) == [], "something was written"


def test_a_golden_file_of_other_weights_is_refused(checkpoint):
    weights = load_tensors(checkpoint / "model.safetensors")
    weights["model.action_out_proj.bias"] += 0.01
    save_tensors(weights, checkpoint / "model.safetensors")
    with pytest.raises(ExportError, match="differs from LeRobot's answer"):
        export(Request(checkpoint, checkpoint.parent / "bundle", golden=GOLDEN, task=TASK), quiet)


def test_weights_that_do_not_fit_the_vlm_are_refused(checkpoint):
    weights = load_tensors(checkpoint / "model.safetensors")
    weights.pop("model.state_proj.bias")
    save_tensors(weights, checkpoint / "model.safetensors")
    with pytest.raises(ExportError, match="state_proj.bias"):
        export(Request(checkpoint, checkpoint.parent / "bundle"), quiet)


def test_an_input_size_that_is_not_the_encoders_is_refused(checkpoint):
    config = read(checkpoint, "config.json")
    config["resize_imgs_with_padding"] = [128, 128]
    (checkpoint / "config.json").write_text(json.dumps(config))
    with pytest.raises(ExportError, match="made for 64x64"):
        export(Request(checkpoint, checkpoint.parent / "bundle"), quiet)


def test_an_older_bundle_is_replaced_and_its_readme_stays(seeded, tmp_path):
    out = shutil.copytree(seeded, tmp_path / "bundle")
    (out / "README.md").write_text("mine")
    (out / "vision.onnx").write_bytes(b"broken")
    export(Request(CHECKPOINT, out), quiet)
    assert (out / "README.md").read_text() == "mine"
    assert (out / "vision.onnx").read_bytes() == (seeded / "vision.onnx").read_bytes()


@pytest.mark.parametrize("side", [8, 16, 32])
@pytest.mark.parametrize(("dtype", "expected"), [(torch.float32, "shifted"), (torch.bfloat16, "canonical")])
def test_the_formulas_are_what_transformers_4_57_looks_up(side, dtype, expected):
    from transformers.models.smolvlm.configuration_smolvlm import SmolVLMVisionConfig
    from transformers.models.smolvlm.modeling_smolvlm import SmolVLMVisionEmbeddings

    embeddings = SmolVLMVisionEmbeddings(SmolVLMVisionConfig(hidden_size=8, image_size=side * 4, patch_size=4))
    looked_up = position_ids.looked_up_ids(embeddings, side * 4, dtype)
    assert np.array_equal(looked_up, getattr(position_ids, expected)(side))
