"""What the exporter refuses before it runs PyTorch: each refusal exits with 1, says cause and fix, and writes nothing."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from locations import CHECKPOINT, GOLDEN, TASK, VLM
from roarm_export.__main__ import main
from roarm_export.checkpoint import read_checkpoint
from roarm_export.errors import ExportError
from roarm_export.language import read_language
from roarm_export.parity import check_golden, convert_golden, difference
from roarm_export.position_ids import canonical, shifted, variant_of
from roarm_export.statistics import read_normalization

NORMALIZER = "policy_preprocessor_step_5_normalizer_processor.safetensors"
UNNORMALIZER = "policy_postprocessor_step_0_unnormalizer_processor.safetensors"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint, with its VLM beside it, to spoil."""
    shutil.copytree(VLM, tmp_path / "vlm_tiny")
    return shutil.copytree(CHECKPOINT, tmp_path / "pretrained_model")


def refused(capsys: pytest.CaptureFixture, checkpoint: Path, *arguments: str | Path) -> str:
    out = checkpoint.parent / "bundle"
    before = sorted(path.name for path in checkpoint.parent.iterdir())
    code = main([str(checkpoint), "--out", str(out), *map(str, arguments)])
    message = capsys.readouterr().err
    assert code == 1
    assert "fix: " in message
    assert sorted(path.name for path in checkpoint.parent.iterdir()) == before, "something was written"
    return message


def edit_json(path: Path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def edit_tensors(path: Path, change) -> None:
    tensors = {name: array.copy() for name, array in load_file(path).items()}
    change(tensors)
    path.write_bytes(save(tensors))


def steps_of(file: dict) -> dict[str, dict]:
    """The steps of a processor file by name."""
    return {step["registry_name"]: step for step in file["steps"]}


def test_the_unspoilt_checkpoint_is_read(checkpoint):
    read = read_checkpoint(checkpoint)
    assert (read.state_dim, read.action_dim, read.input_size) == (6, 6, (64, 64))
    assert not read.trained_in_bfloat16
    assert len(read_normalization(read).tensors) == 8
    assert read_language(read, VLM, None).encode(TASK) == read_language(read, VLM, VLM / "tokenizer.json").encode(TASK)


def test_no_folder(capsys, checkpoint):
    shutil.rmtree(checkpoint)
    assert "is not a folder" in refused(capsys, checkpoint)


def test_no_config(capsys, checkpoint):
    (checkpoint / "config.json").unlink()
    assert "config.json is missing" in refused(capsys, checkpoint)


def test_config_is_no_json(capsys, checkpoint):
    (checkpoint / "config.json").write_text("{")
    assert "not valid JSON" in refused(capsys, checkpoint)


def test_another_policy(capsys, checkpoint):
    edit_json(checkpoint / "config.json", lambda config: config.update(type="act"))
    assert "'act', not 'smolvla'" in refused(capsys, checkpoint)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("adapt_to_pi_aloha", True),
        ("add_image_special_tokens", True),
        ("attention_mode", "self_attn"),
        ("n_obs_steps", 2),
        ("num_expert_layers", 2),
        ("resize_imgs_with_padding", None),
    ],
)
def test_a_setting_that_the_graphs_do_not_express(capsys, checkpoint, setting, value):
    edit_json(checkpoint / "config.json", lambda config: config.update({setting: value}))
    assert setting in refused(capsys, checkpoint)


def test_no_camera(capsys, checkpoint):
    edit_json(checkpoint / "config.json", lambda config: config["input_features"].pop("observation.images.front"))
    assert "names no camera" in refused(capsys, checkpoint)


def test_an_adapter(capsys, checkpoint):
    (checkpoint / "adapter_config.json").write_text("{}")
    assert "PEFT adapter" in refused(capsys, checkpoint)


@pytest.mark.parametrize("file", ["policy_preprocessor.json", "policy_postprocessor.json"])
def test_an_old_checkpoint_without_processor_files(capsys, checkpoint, file):
    (checkpoint / file).unlink()
    message = refused(capsys, checkpoint)
    assert f"{file} is missing" in message and "migrate_policy_normalization" in message


@pytest.mark.parametrize("file", [NORMALIZER, UNNORMALIZER])
def test_a_missing_state_file(capsys, checkpoint, file):
    (checkpoint / file).unlink()
    assert file in refused(capsys, checkpoint)


def test_the_state_file_is_found_by_name_not_by_index(checkpoint):
    moved = "policy_preprocessor_step_7_normalizer_processor.safetensors"
    (checkpoint / NORMALIZER).rename(checkpoint / moved)
    edit_json(checkpoint / "policy_preprocessor.json", lambda file: steps_of(file)["normalizer_processor"].update(state_file=moved))
    expected = read_normalization(read_checkpoint(CHECKPOINT)).tensors
    found = read_normalization(read_checkpoint(checkpoint)).tensors
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_an_unknown_step(capsys, checkpoint):
    step = {"registry_name": "delta_actions_processor", "config": {}}
    edit_json(checkpoint / "policy_preprocessor.json", lambda file: file["steps"].append(step))
    assert "delta_actions_processor" in refused(capsys, checkpoint)


def test_a_normalizer_without_statistics(capsys, checkpoint):
    edit_json(checkpoint / "policy_preprocessor.json", lambda file: steps_of(file)["normalizer_processor"].pop("state_file"))
    assert "raw numbers" in refused(capsys, checkpoint)


@pytest.mark.parametrize("feature", ["observation.state", "action"])
@pytest.mark.parametrize("statistic", ["mean", "std", "min", "max"])
@pytest.mark.parametrize(("spoil", "cause"), [(None, "is missing"), (np.nan, "is not finite"), (np.inf, "is not finite")])
def test_spoilt_statistics(capsys, checkpoint, feature, statistic, spoil, cause):
    def change(tensors):
        if spoil is None:
            tensors.pop(f"{feature}.{statistic}")
        else:
            tensors[f"{feature}.{statistic}"][2] = spoil

    edit_tensors(checkpoint / (UNNORMALIZER if feature == "action" else NORMALIZER), change)
    assert f"{feature}.{statistic} {cause}" in refused(capsys, checkpoint)


@pytest.mark.parametrize(("file", "feature"), [(NORMALIZER, "observation.state"), (UNNORMALIZER, "action")])
def test_a_joint_that_never_moved(capsys, checkpoint, file, feature):
    edit_tensors(checkpoint / file, lambda tensors: tensors[f"{feature}.std"].__setitem__(4, 0))
    message = refused(capsys, checkpoint)
    assert f"{feature}.std is zero" in message and "[4]" in message


def test_statistics_of_another_robot(capsys, checkpoint):
    edit_tensors(checkpoint / NORMALIZER, lambda tensors: tensors.update({"observation.state.mean": np.zeros(7, np.float32)}))
    assert "has the shape (7,), expected (6,)" in refused(capsys, checkpoint)


def test_statistics_of_two_datasets(capsys, checkpoint):
    edit_tensors(checkpoint / UNNORMALIZER, lambda tensors: tensors["action.mean"].__setitem__(0, 1.5))
    assert "action.mean differs" in refused(capsys, checkpoint)


@pytest.mark.parametrize(
    ("file", "step"), [("policy_preprocessor.json", "normalizer_processor"), ("policy_postprocessor.json", "unnormalizer_processor")]
)
@pytest.mark.parametrize(("kind", "mode"), [("STATE", "MIN_MAX"), ("ACTION", "QUANTILES"), ("ACTION", "IDENTITY"), ("VISUAL", "MEAN_STD")])
def test_an_unsupported_normalization_mode(capsys, checkpoint, file, step, kind, mode):
    # Only the step's map is changed: it rules, not config.json.
    edit_json(checkpoint / file, lambda content: steps_of(content)[step]["config"]["norm_map"].update({kind: mode}))
    message = refused(capsys, checkpoint)
    assert mode in message and kind in message


def test_no_tokenizer(capsys, checkpoint):
    (checkpoint.parent / "vlm_tiny" / "tokenizer.json").unlink()
    message = refused(capsys, checkpoint)
    assert "no tokenizer.json" in message and "--tokenizer" in message


def test_a_tokenizer_that_is_none(capsys, checkpoint):
    assert "not a tokenizer file" in refused(capsys, checkpoint, "--tokenizer", checkpoint / "config.json")


def test_no_vlm(capsys, checkpoint):
    assert "--vlm" in refused(capsys, checkpoint, "--vlm", checkpoint.parent / "nowhere")


def test_a_token_width_that_cuts_instructions(capsys, checkpoint):
    edit_json(checkpoint / "policy_preprocessor.json", lambda file: steps_of(file)["tokenizer_processor"]["config"].update(max_length=16))
    message = refused(capsys, checkpoint)
    assert "at 16 tokens" in message and "tokenizer_max_length=48" in message


def test_tokens_padded_on_the_left(capsys, checkpoint):
    edit_json(
        checkpoint / "policy_preprocessor.json", lambda file: steps_of(file)["tokenizer_processor"]["config"].update(padding_side="left")
    )
    assert "pads on the left" in refused(capsys, checkpoint)


def test_a_task_that_is_too_long(capsys, checkpoint):
    assert "the policy takes 48" in refused(capsys, checkpoint, "--task", "pick up the cube and " * 20)


def test_no_weights(capsys, checkpoint):
    (checkpoint / "model.safetensors").unlink()
    assert "model.safetensors is missing" in refused(capsys, checkpoint)


def test_a_git_lfs_pointer(capsys, checkpoint):
    (checkpoint / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    message = refused(capsys, checkpoint)
    assert "not a safetensors file" in message and "git lfs pull" in message


def test_golden_without_task(capsys, checkpoint):
    assert "--task" in refused(capsys, checkpoint, "--golden", GOLDEN)


def test_golden_that_lacks_an_array(capsys, checkpoint, tmp_path):
    arrays = dict(np.load(GOLDEN))
    arrays.pop("noise")
    np.savez(tmp_path / "golden.npz", **arrays)
    assert "lacks noise" in refused(capsys, checkpoint, "--golden", tmp_path / "golden.npz", "--task", TASK)


def test_golden_for_two_cameras(capsys, checkpoint):
    feature = {"type": "VISUAL", "shape": [3, 96, 96]}
    edit_json(checkpoint / "config.json", lambda config: config["input_features"].update({"observation.images.wrist": feature}))
    assert "the policy has 2" in refused(capsys, checkpoint, "--golden", GOLDEN, "--task", TASK)


def test_an_output_folder_with_other_files(capsys, checkpoint):
    out = checkpoint.parent / "bundle"
    out.mkdir()
    (out / "thesis.txt").write_text("precious")
    assert "holds other files" in refused(capsys, checkpoint)
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


def test_fps_that_contradicts_the_dataset(capsys, checkpoint):
    meta = checkpoint.parent / "dataset" / "meta"
    meta.mkdir(parents=True)
    (meta / "info.json").write_text(json.dumps({"fps": 30, "features": {}}))
    assert "recorded at 30" in refused(capsys, checkpoint, "--dataset", meta.parent, "--fps", 15)


def test_joints_whose_names_nobody_knows(capsys, checkpoint):
    edit_json(checkpoint / "config.json", lambda config: config["output_features"]["action"].update(shape=[7]))
    edit_tensors(
        checkpoint / NORMALIZER,
        lambda tensors: tensors.update({f"action.{name}": np.ones(7, np.float32) for name in ("mean", "std", "min", "max")}),
    )
    edit_tensors(
        checkpoint / UNNORMALIZER,
        lambda tensors: tensors.update({f"action.{name}": np.ones(7, np.float32) for name in ("mean", "std", "min", "max")}),
    )
    message = refused(capsys, checkpoint)
    assert "names of the 7 dimensions of action" in message and "--dataset" in message


def test_a_python_without_pytorch(capsys, checkpoint, monkeypatch):
    # None makes `import torch` fail, as where it is not installed.
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "roarm_export.lerobot_policy", raising=False)
    assert "setup_environment.py" in refused(capsys, checkpoint)


def test_golden_of_another_checkpoint():
    ours = convert_golden(dict(np.load(GOLDEN)), "observation.images.front", 32)
    check_golden(ours, ours)
    other = ours | {"chunk_norm": ours["chunk_norm"] + np.float32(2e-4)}
    with pytest.raises(ExportError, match="chunk_norm differs"):
        check_golden(ours, other)
    with pytest.raises(ExportError, match="lang_tokens"):
        check_golden(ours, ours | {"lang_tokens": ours["lang_tokens"] + 1})


def test_a_difference_with_nan_is_no_small_difference():
    ones = np.ones(3, np.float32)
    assert difference(ones, ones) == 0
    assert difference(np.array([1, np.nan, 1], np.float32), ones) == float("inf")
    assert difference(np.ones(2, np.float32), ones) == float("inf")


def test_shifted_ids_are_those_that_lerobot_looked_up():
    looked_up = np.load(GOLDEN)["vision_position_ids"]
    assert np.array_equal(shifted(8), looked_up)
    assert variant_of(looked_up, 8) == "shifted" and variant_of(canonical(8), 8) == "canonical"
    # transformers 4.57.6 on SmolVLM2's 32 x 32 grid: rows and columns 0, 0, 1, ..., 30, so the last id is 990.
    assert shifted(32)[-1] == 990 and shifted(32)[:3].tolist() == [0, 0, 1]
    with pytest.raises(ExportError, match="neither canonical nor shifted"):
        variant_of(canonical(8)[::-1], 8)
