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
from lerobot.configs.types import RTCAttentionSchedule
from lerobot.policies.factory import make_pre_post_processors
from lerobot.policies.rtc.configuration_rtc import RTCConfig
from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
from transformers import PreTrainedTokenizerFast

from .checkpoint import STATE, TOKENIZER_STEP, Checkpoint
from .errors import ExportError
from .language import Language
from .real_time_chunking import Guidance


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


def make_processors(policy: SmolVLAPolicy, checkpoint: Checkpoint, language: Language) -> tuple[Any, Any]:
    """The checkpoint's own processors, on the CPU and with its tokenizer."""
    overrides = {
        "device_processor": {"device": "cpu"},
        # The observation has the policy's own names already, which a map that swaps two cameras would swap.
        "rename_observations_processor": {"rename_map": {}},
        TOKENIZER_STEP: {"tokenizer": reference_tokenizer(language), "padding": "max_length"},
    }
    return make_pre_post_processors(
        policy.config,
        pretrained_path=str(checkpoint.folder),
        preprocessor_overrides={step.name: overrides[step.name] for step in checkpoint.preprocessor if step.name in overrides},
        postprocessor_overrides={step.name: overrides[step.name] for step in checkpoint.postprocessor if step.name in overrides},
    )


def make_batch(preprocessor: Any, observation: Observation) -> dict[str, Any]:
    """What `predict_action_chunk` takes."""
    batch: dict[str, Any] = {name: torch.from_numpy(image) for name, image in observation.images.items()}
    batch |= {STATE: torch.from_numpy(observation.state), "task": observation.task}
    return preprocessor(batch)


def run_lerobot(policy: SmolVLAPolicy, checkpoint: Checkpoint, language: Language, observation: Observation) -> dict[str, np.ndarray]:
    """Preprocessor, `predict_action_chunk`, postprocessor: the arrays of the parity fixture, without the intermediate ones."""
    preprocessor, postprocessor = make_processors(policy, checkpoint, language)
    batch = make_batch(preprocessor, observation)
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


def run_guided(policy: SmolVLAPolicy, batch: dict[str, Any], noise: np.ndarray, guidance: Guidance) -> tuple[np.ndarray, list]:
    """The normalised chunk (1, horizon, dim) that LeRobot's own real-time chunking makes, and the debug records of its flow steps."""
    policy.config.rtc_config = RTCConfig(
        enabled=True,
        prefix_attention_schedule=RTCAttentionSchedule[guidance.schedule],
        max_guidance_weight=guidance.max_guidance_weight,
        debug=True,
    )
    policy.init_rtc_processor()
    try:
        chunk = policy.predict_action_chunk(
            dict(batch),
            noise=torch.from_numpy(noise).clone(),
            inference_delay=guidance.inference_delay,
            prev_chunk_left_over=torch.from_numpy(guidance.previous),
            execution_horizon=guidance.execution_horizon,
        )
        return np.ascontiguousarray(chunk.numpy()), policy.rtc_processor.get_all_debug_steps()
    finally:
        policy.config.rtc_config = None
        policy.init_rtc_processor()
        policy.model.rtc_processor = None


def guided_fixture(
    policy: SmolVLAPolicy, checkpoint: Checkpoint, language: Language, observation: Observation, cases: list[Guidance]
) -> dict[str, np.ndarray]:
    """What guides each case and what LeRobot makes of it: the parity fixture's arrays for real-time chunking."""
    preprocessor, _ = make_processors(policy, checkpoint, language)
    batch = make_batch(preprocessor, observation)
    arrays = {}
    for index, case in enumerate(cases):
        arrays[f"real_time_chunking.{index}.previous"] = case.previous
        arrays[f"real_time_chunking.{index}.chunk_norm"], _ = run_guided(policy, batch, observation.noise, case)
    return arrays


def reference_tokenizer(language: Language) -> PreTrainedTokenizerFast:
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(language.tokenizer_file), padding_side="right")
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(language.pad_id)
    return tokenizer
