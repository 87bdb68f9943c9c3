"""A SmolVLA checkpoint of random weights from a seed, as LeRobot's own code builds and saves it: full size, or tiny.

The VLM's configuration is that of SmolVLM2-500M-Video-Instruct with 16 of its layers, as LeRobot trains: 450 million parameters. Its tokenizer
cannot be had without a download; that of the test data stands in, whose ids are all within the vocabulary. Neither changes the time of a chunk.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from pathlib import Path

TINY = Path(__file__).resolve().parents[2] / "tests" / "data" / "smolvla_tiny"
NAMES = ("front", "wrist", "side")
SEED = 20260101

FULL_TEXT = {
    "hidden_size": 960, "intermediate_size": 2560, "num_attention_heads": 15, "num_key_value_heads": 5, "head_dim": 64,
    "num_hidden_layers": 32, "vocab_size": 49280, "rope_theta": 100000, "max_position_embeddings": 8192,
}  # fmt: skip
FULL_VISION = {
    "hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 12, "image_size": 512, "patch_size": 16,
}  # fmt: skip


def write_vlm(folder: Path, tiny: bool) -> None:
    shutil.copytree(TINY / "vlm_tiny", folder, dirs_exist_ok=True)
    if tiny:
        return
    config = json.loads((folder / "config.json").read_text())
    config["text_config"] |= FULL_TEXT
    config["vision_config"] |= FULL_VISION
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    tokens = (FULL_VISION["image_size"] // FULL_VISION["patch_size"]) ** 2 // 16
    processor = json.loads((folder / "processor_config.json").read_text())
    (folder / "processor_config.json").write_text(json.dumps(processor | {"image_seq_len": tokens}))


def read_statistics():
    """A RoArm dataset's statistics from the tiny checkpoint, by feature; pictures have none."""
    from safetensors.torch import load_file

    statistics: dict = {}
    for name, tensor in load_file(TINY / "pretrained_model" / "policy_preprocessor_step_5_normalizer_processor.safetensors").items():
        feature, statistic = name.rsplit(".", 1)
        if feature in ("observation.state", "action"):
            statistics.setdefault(feature, {})[statistic] = tensor
    return statistics


def make_checkpoint(folder: Path, *, tiny: bool, cameras: int) -> tuple[Path, Path]:
    """Writes `folder/pretrained_model` and `folder/vlm` unless they are there; returns both."""
    folder = folder.resolve()
    checkpoint, vlm, finished = folder / "pretrained_model", folder / "vlm", folder / "finished"
    if finished.is_file():
        return checkpoint, vlm
    import torch
    from lerobot.configs.types import FeatureType, PolicyFeature
    from lerobot.policies.factory import make_pre_post_processors
    from lerobot.policies.smolvla.configuration_smolvla import SmolVLAConfig
    from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy

    folder.mkdir(parents=True, exist_ok=True)
    write_vlm(vlm, tiny)
    side = 64 if tiny else 512
    pictures = {f"observation.images.{name}": PolicyFeature(FeatureType.VISUAL, (3, 480, 640)) for name in NAMES[:cameras]}
    # The checkpoint names its VLM by a relative path, which LeRobot takes from the current folder.
    with contextlib.chdir(folder), contextlib.redirect_stdout(sys.stderr):
        config = SmolVLAConfig(
            input_features=pictures | {"observation.state": PolicyFeature(FeatureType.STATE, (6,))},
            output_features={"action": PolicyFeature(FeatureType.ACTION, (6,))},
            num_vlm_layers=4 if tiny else 16,
            resize_imgs_with_padding=(side, side),
            vlm_model_name="vlm",
            load_vlm_weights=False,
            pad_language_to="max_length",
            device="cpu",
            push_to_hub=False,
        )
        torch.manual_seed(SEED)
        policy = SmolVLAPolicy(config).eval()
        preprocessor, postprocessor = make_pre_post_processors(config, dataset_stats=read_statistics())
        for part in (policy, preprocessor, postprocessor):
            part.save_pretrained("pretrained_model")
    finished.write_text(f"seed {SEED}\n")
    return checkpoint, vlm
