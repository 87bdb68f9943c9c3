"""Loads and runs the policy with LeRobot's own code, in float32 on the CPU."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lerobot.configs.policies import PreTrainedConfig
from lerobot.policies.factory import make_pre_post_processors
from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
from transformers import PreTrainedTokenizerFast

from .checkpoint import STATE, TOKENIZER_STEP, Checkpoint
from .errors import ExportError
from .language import Language


@dataclass(frozen=True)
class Observation:
    """One observation in dataset units, and the noise that the flow starts from."""

    images: dict[str, np.ndarray]
    """slot name -> float32 (3, H, W), RGB in 0..1."""
    state: np.ndarray
    """float32 (state_dim,)"""
    task: str
    noise: np.ndarray
    """float32 (1, horizon, padded action dim)"""


def load_policy(checkpoint: Checkpoint, vlm: Path) -> SmolVLAPolicy:
    """The policy in float32; its weights all come from the checkpoint, the VLM's folder gives only the configuration."""
    try:
        config = PreTrainedConfig.from_pretrained(checkpoint.folder)
    except Exception as error:  # noqa: BLE001 - draccus and huggingface_hub raise many kinds
        raise ExportError(f"LeRobot cannot read config.json: {error}", "export with the LeRobot release that trained the policy") from None
    config.vlm_model_name = str(vlm)
    config.load_vlm_weights = False
    config.device = "cpu"
    config.compile_model = False
    config.rtc_config = None
    config.use_cache = True
    try:
        # LeRobot prints its progress; standard output is for the exporter's result.
        with contextlib.redirect_stdout(sys.stderr):
            policy = SmolVLAPolicy.from_pretrained(checkpoint.folder, config=config, strict=True)
    except (RuntimeError, OSError, ValueError) as error:
        raise ExportError(
            f"LeRobot cannot load the policy: {error}", "check that --vlm is the VLM that the policy was trained with"
        ) from None
    policy.eval().float()
    for parameter in policy.parameters():
        parameter.requires_grad_(False)
    check_vision_size(checkpoint, policy)
    return policy


def check_vision_size(checkpoint: Checkpoint, policy: SmolVLAPolicy) -> None:
    encoder = vision_encoder(policy).embeddings
    if checkpoint.input_size != (encoder.image_size, encoder.image_size):
        height, width = checkpoint.input_size
        raise ExportError(
            f"config.json resizes images to {width}x{height}, the vision encoder was made for {encoder.image_size}x{encoder.image_size}",
            f"train with resize_imgs_with_padding=[{encoder.image_size}, {encoder.image_size}]",
        )


def vision_encoder(policy: SmolVLAPolicy) -> torch.nn.Module:
    return policy.model.vlm_with_expert.get_vlm_model().vision_model


def fix_position_ids(policy: SmolVLAPolicy, ids: np.ndarray) -> None:
    """Makes LeRobot's own code look up `ids`, whatever the installed transformers computes."""
    constant = torch.from_numpy(ids)[None]
    table = vision_encoder(policy).embeddings.position_embedding
    table.register_forward_pre_hook(lambda _module, arguments: (constant.expand_as(arguments[0]),))


def run_lerobot(policy: SmolVLAPolicy, checkpoint: Checkpoint, language: Language, observation: Observation) -> dict[str, np.ndarray]:
    """Preprocessor, `predict_action_chunk`, postprocessor: the arrays of the parity fixture, without the intermediate ones."""
    overrides = {
        "device_processor": {"device": "cpu"},
        # The observation has the policy's own names already, which a map that swaps two cameras would swap.
        "rename_observations_processor": {"rename_map": {}},
        TOKENIZER_STEP: {"tokenizer": reference_tokenizer(language), "padding": "max_length"},
    }
    preprocessor, postprocessor = make_pre_post_processors(
        policy.config,
        pretrained_path=str(checkpoint.folder),
        preprocessor_overrides={step.name: overrides[step.name] for step in checkpoint.preprocessor if step.name in overrides},
        postprocessor_overrides={step.name: overrides[step.name] for step in checkpoint.postprocessor if step.name in overrides},
    )
    batch: dict[str, Any] = {name: torch.from_numpy(image) for name, image in observation.images.items()}
    batch |= {STATE: torch.from_numpy(observation.state), "task": observation.task}
    batch = preprocessor(batch)
    noise = torch.from_numpy(observation.noise)
    with torch.no_grad():
        pixels, _ = policy.prepare_images(batch)
        chunk_norm = policy.predict_action_chunk(dict(batch), noise=noise.clone())
        chunk = postprocessor(chunk_norm.clone())
        arrays = {f"pixels.{name}": pixels[index] for index, name in enumerate(observation.images)}
        arrays |= {
            "lang_tokens": batch["observation.language.tokens"][0],
            "lang_mask": batch["observation.language.attention_mask"][0].to(torch.uint8),
            "state_norm": policy.prepare_state(batch)[0],
            "noise": noise,
            "chunk_norm": chunk_norm,
            "chunk": chunk,
        }
    fixture = {name: np.ascontiguousarray(tensor.numpy()) for name, tensor in arrays.items()}
    fixture |= {f"image.{name}": image for name, image in observation.images.items()}
    fixture["state"] = observation.state
    return fixture


def reference_tokenizer(language: Language) -> PreTrainedTokenizerFast:
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(language.tokenizer_file), padding_side="right")
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(language.pad_id)
    return tokenizer
