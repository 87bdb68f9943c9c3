"""Makes a small checkpoint with two cameras of different sizes and an empty slot: the source of `tests/data/smolvla_two_cameras/`.

    python models/export/tests/two_cameras.py FOLDER    # writes FOLDER/pretrained_model and FOLDER/vlm

LeRobot's own code builds and saves it; the weights are seeded random numbers, the same in every run on the same releases.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from pathlib import Path

import torch
from lerobot.configs.types import FeatureType, PolicyFeature
from lerobot.policies.factory import make_pre_post_processors
from lerobot.policies.smolvla.configuration_smolvla import SmolVLAConfig
from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
from safetensors.torch import load_file

from locations import CHECKPOINT, VLM

FRONT, WRIST = "observation.images.front", "observation.images.wrist"
TASK = "Pick up the red cube."
SEED = 2

# Smaller than vlm_tiny, so that the bundle stays around a megabyte; random weights wider than the usual 0.02, so that what the
# cameras see reaches the actions through two layers.
TEXT = {"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 96, "initializer_range": 0.1}
VISION = {"hidden_size": 32, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 64, "initializer_range": 0.1}


def write_vlm(folder: Path) -> None:
    """The tiny VLM's tokenizer and processor files with a smaller configuration."""
    shutil.copytree(VLM, folder)
    config = json.loads((VLM / "config.json").read_text())
    config["text_config"] |= TEXT
    config["vision_config"] |= VISION
    (folder / "config.json").write_text(json.dumps(config, indent=2))


def read_statistics() -> dict[str, dict[str, torch.Tensor]]:
    """The RoArm dataset's statistics from the tiny checkpoint, by feature. Those of its one camera are left out."""
    statistics: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in load_file(CHECKPOINT / "policy_preprocessor_step_5_normalizer_processor.safetensors").items():
        feature, statistic = name.rsplit(".", 1)
        if feature in ("observation.state", "action"):
            statistics.setdefault(feature, {})[statistic] = tensor
    return statistics


def make_checkpoint(folder: Path) -> Path:
    """Writes `folder/pretrained_model` and `folder/vlm`; returns the former."""
    folder.mkdir(parents=True, exist_ok=True)
    write_vlm(folder / "vlm")
    # The checkpoint names its VLM by a relative path, which LeRobot takes from the current folder.
    with contextlib.chdir(folder), contextlib.redirect_stdout(sys.stderr):
        config = SmolVLAConfig(
            # Not in alphabetical order, one picture wide and one tall; 96 rows of 64 pixels do not divide evenly into 64x64.
            input_features={
                WRIST: PolicyFeature(FeatureType.VISUAL, (3, 96, 64)),
                FRONT: PolicyFeature(FeatureType.VISUAL, (3, 72, 128)),
                "observation.state": PolicyFeature(FeatureType.STATE, (6,)),
            },
            output_features={"action": PolicyFeature(FeatureType.ACTION, (6,))},
            empty_cameras=1,
            num_vlm_layers=2,
            resize_imgs_with_padding=(64, 64),
            vlm_model_name="vlm",
            load_vlm_weights=False,
            pad_language_to="max_length",
            device="cpu",
            push_to_hub=False,
        )
        torch.manual_seed(SEED)
        policy = SmolVLAPolicy(config).eval()
        with torch.no_grad():
            for parameter in policy.parameters():
                # Norms start at 1 and biases at 0, which would hide an export that drops them.
                if parameter.ndim == 1:
                    parameter.add_(0.1 * torch.randn(parameter.shape))
        preprocessor, postprocessor = make_pre_post_processors(config, dataset_stats=read_statistics())
        for part in (policy, preprocessor, postprocessor):
            part.save_pretrained("pretrained_model")
    return folder / "pretrained_model"


if __name__ == "__main__":
    print(make_checkpoint(Path(sys.argv[1]).resolve()))
