"""Reads a LeRobot checkpoint folder (`pretrained_model/`) and refuses what the bundle cannot express. No PyTorch here."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path

from .errors import ExportError

STATE = "observation.state"
ACTION = "action"
EMPTY_CAMERA = "observation.images.empty_camera_"

# LeRobot 0.4.4's script that gives checkpoints from before the processor files theirs.
MIGRATION = "run `python -m lerobot.processor.migrate_policy_normalization --pretrained-path CHECKPOINT` and export its result"

# Settings whose other values change the computation in ways that the three graphs do not express.
REQUIRED_SETTINGS = {
    "n_obs_steps": 1,
    "adapt_to_pi_aloha": False,
    "use_delta_joint_actions_aloha": False,
    "add_image_special_tokens": False,
    "attention_mode": "cross_attn",
    "use_peft": False,
}

# LeRobot writes this step into every SmolVLA preprocessor (0.4.4 and 0.6.1 alike).
NEW_LINE_STEP = "smolvla_new_line_processor"
NORMALIZER_STEP = "normalizer_processor"
UNNORMALIZER_STEP = "unnormalizer_processor"
TOKENIZER_STEP = "tokenizer_processor"
KNOWN_PREPROCESSOR_STEPS = {
    "rename_observations_processor",
    "to_batch_processor",
    NEW_LINE_STEP,
    TOKENIZER_STEP,
    "device_processor",
    NORMALIZER_STEP,
}
KNOWN_POSTPROCESSOR_STEPS = {UNNORMALIZER_STEP, "device_processor"}


@dataclass(frozen=True)
class CameraSlot:
    """One camera that the policy was trained with. The size documents the dataset's pictures only."""

    name: str
    height: int
    width: int


@dataclass(frozen=True)
class ProcessorStep:
    """One step of a LeRobot processor file; `state_file` holds its tensors, if it has any."""

    name: str
    config: dict
    state_file: Path | None


@dataclass(frozen=True)
class Weights:
    """What the header and the bytes of `model.safetensors` tell without loading it."""

    sha256: str
    parameters: int
    vision_dtype: str
    """safetensors dtype of the vision encoder: `F32`, `BF16` or `F16`."""


@dataclass(frozen=True)
class Checkpoint:
    """A checked checkpoint folder."""

    folder: Path
    config: dict
    preprocessor: tuple[ProcessorStep, ...]
    postprocessor: tuple[ProcessorStep, ...]
    slots: tuple[CameraSlot, ...]
    state_dim: int
    action_dim: int
    weights: Weights

    @property
    def empty_cameras(self) -> int:
        return self.config.get("empty_cameras", 0)

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) of the vision encoder's input in pixels; LeRobot's config holds (width, height)."""
        width, height = self.config["resize_imgs_with_padding"]
        return height, width

    def step(self, name: str) -> ProcessorStep | None:
        """The first step of that name in the preprocessor, then in the postprocessor."""
        return next((step for step in self.preprocessor + self.postprocessor if step.name == name), None)

    @property
    def appends_newline(self) -> bool:
        return self.step(NEW_LINE_STEP) is not None

    @property
    def trained_in_bfloat16(self) -> bool:
        """Whether the VLM ran in bfloat16 in training.

        LeRobot loads the VLM in bfloat16 whenever it starts from pretrained VLM weights (`load_vlm_weights`), and saves the dtype
        it ran. A float32 file with `load_vlm_weights` was converted after training.
        """
        return self.weights.vision_dtype != "F32" or bool(self.config.get("load_vlm_weights"))


def read_json(path: Path, fix: str) -> dict:
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        raise ExportError(f"{path.name} is missing in {path.parent}", fix) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ExportError(f"{path} is not valid JSON: {error}", fix) from None
    if not isinstance(content, dict):
        raise ExportError(f"{path} holds no JSON object", fix)
    return content


def read_checkpoint(folder: Path) -> Checkpoint:
    """Reads and checks `folder`, a LeRobot `pretrained_model` folder.

    Raises `ExportError` if it is not a SmolVLA checkpoint with processor files, or uses a setting that the bundle cannot express.
    """
    if not folder.is_dir():
        raise ExportError(f"{folder} is not a folder", "name the `pretrained_model` folder of a LeRobot checkpoint")
    config = read_json(folder / "config.json", "name the `pretrained_model` folder of a LeRobot checkpoint")
    if config.get("type") != "smolvla":
        raise ExportError(
            f"{folder / 'config.json'} describes a policy of type {config.get('type')!r}, not 'smolvla'",
            "export a SmolVLA checkpoint; other policies are not supported",
        )
    if (folder / "adapter_config.json").exists():
        raise ExportError(f"{folder} holds a PEFT adapter, not whole weights", "merge the adapter into the policy first")
    check_settings(config)
    slots, state_dim, action_dim = read_features(config)
    preprocessor = read_processor(folder, "policy_preprocessor.json", KNOWN_PREPROCESSOR_STEPS)
    postprocessor = read_processor(folder, "policy_postprocessor.json", KNOWN_POSTPROCESSOR_STEPS)
    return Checkpoint(folder, config, preprocessor, postprocessor, slots, state_dim, action_dim, read_weights(folder / "model.safetensors"))


def check_settings(config: dict) -> None:
    for name, required in REQUIRED_SETTINGS.items():
        if config.get(name, required) != required:
            raise ExportError(
                f"config.json: {name} is {config[name]!r}; this exporter supports {required!r} only",
                f"train with {name}={required!r}",
            )
    size = config.get("resize_imgs_with_padding")
    if not size:
        raise ExportError("config.json: resize_imgs_with_padding is not set", "train with a fixed input size, such as [512, 512]")
    vlm_layers, expert_layers = config.get("num_vlm_layers", 16), config.get("num_expert_layers", -1)
    if expert_layers > 0 and expert_layers != vlm_layers:
        raise ExportError(
            f"config.json: num_expert_layers is {expert_layers} but num_vlm_layers is {vlm_layers}",
            "export a policy whose expert has as many layers as its VLM (num_expert_layers=-1)",
        )


def read_features(config: dict) -> tuple[tuple[CameraSlot, ...], int, int]:
    """Camera slots in the order of training, and the dimensions of state and action."""
    inputs, outputs = config.get("input_features") or {}, config.get("output_features") or {}
    slots = tuple(
        CameraSlot(name, height=feature["shape"][1], width=feature["shape"][2])
        for name, feature in inputs.items()
        if feature["type"] == "VISUAL" and not name.startswith(EMPTY_CAMERA)
    )
    fix = "export a policy with one state, one action and at least one camera"
    if not slots:
        raise ExportError("config.json: input_features names no camera", fix)
    dims = []
    for features, name, limit in ((inputs, STATE, "max_state_dim"), (outputs, ACTION, "max_action_dim")):
        if name not in features:
            raise ExportError(f"config.json: there is no feature {name!r}", fix)
        shape = features[name]["shape"]
        if len(shape) != 1 or not 1 <= shape[0] <= config.get(limit, 32):
            raise ExportError(f"config.json: {name} has the shape {shape}, which does not fit {limit}={config.get(limit, 32)}", fix)
        dims.append(shape[0])
    return slots, dims[0], dims[1]


def read_processor(folder: Path, file: str, known: set[str]) -> tuple[ProcessorStep, ...]:
    content = read_json(folder / file, f"checkpoints from before LeRobot 0.4 lack it: {MIGRATION}")
    steps = []
    for step in content.get("steps", []):
        name = step.get("registry_name") or step.get("class")
        if name not in known:
            raise ExportError(
                f"{file}: the step {name!r} is not one that the runtime repeats", "train without this step, or teach `roarm` to do it"
            )
        # The file's name holds the index of the step, which moves: only the JSON knows it.
        state_file = folder / step["state_file"] if step.get("state_file") else None
        if state_file is not None and not state_file.is_file():
            raise ExportError(f"{file} names {step['state_file']}, which is missing in {folder}", "copy the whole checkpoint folder")
        steps.append(ProcessorStep(name, step.get("config") or {}, state_file))
    return tuple(steps)


def read_weights(path: Path) -> Weights:
    fix = "copy the whole checkpoint folder; `git lfs pull` if it is a pointer file"
    if not path.is_file():
        raise ExportError(f"{path.name} is missing in {path.parent}", fix)
    digest = hashlib.sha256()
    with path.open("rb") as file:
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
        if not 2 <= length <= path.stat().st_size - 8:
            raise ExportError(f"{path} is not a safetensors file", fix)
        try:
            header = json.loads(file.read(length))
        except (UnicodeDecodeError, json.JSONDecodeError):
            raise ExportError(f"{path} is not a safetensors file", fix) from None
        file.seek(0)
        while block := file.read(1 << 20):
            digest.update(block)
    header.pop("__metadata__", None)
    vision = [tensor for name, tensor in header.items() if name.endswith("vision_model.embeddings.patch_embedding.weight")]
    if len(vision) != 1:
        raise ExportError(f"{path} holds no SmolVLM vision encoder", "export a SmolVLA checkpoint")
    parameters = sum(math.prod(tensor["shape"]) for tensor in header.values())
    return Weights(digest.hexdigest(), parameters, vision[0]["dtype"])
