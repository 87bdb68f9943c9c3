"""SmolVLA's way from a raw observation to degrees, in numpy, `tokenizers` and ONNX Runtime.

Written from the format's description and LeRobot's formulas, and shares no code with the exporter: if both agree with LeRobot's
numbers, the bundle holds what it says. The `Mistakes` switch on one wrong step each, to show that the comparison notices.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from safetensors.numpy import load_file
from tokenizers import Tokenizer


@dataclass(frozen=True)
class Mistakes:
    radians: bool = False
    """state is taken for degrees although it is in radians"""
    gripper_sign: bool = False
    swapped_joints: bool = False
    no_newline: bool = False
    pad_right_bottom: bool = False
    no_pixel_shift: bool = False
    unmasked_padding: bool = False
    frozen_time: bool = False
    """every flow step is told the first step's time"""


NONE = Mistakes()


def sample_axis(size: int, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Half-pixel bilinear taps: lower index, upper index, weight of the upper one."""
    scale = np.float32(size / target)
    position = np.maximum((np.arange(target, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5), 0)
    lower = np.minimum(position.astype(np.int64), size - 1)
    return lower, np.minimum(lower + 1, size - 1), (position - lower).astype(np.float32)


def resize_with_pad(image: np.ndarray, width: int, height: int, mistakes: Mistakes = NONE) -> np.ndarray:
    """float32 (3,H,W) in 0..1 -> (3,height,width) in -1..1."""
    _, rows, columns = image.shape
    ratio = max(columns / width, rows / height)
    new_rows, new_columns = int(rows / ratio), int(columns / ratio)
    top, bottom, down = sample_axis(rows, new_rows)
    left, right, across = sample_axis(columns, new_columns)
    upper = image[:, top][:, :, left] * (1 - across) + image[:, top][:, :, right] * across
    lower = image[:, bottom][:, :, left] * (1 - across) + image[:, bottom][:, :, right] * across
    resized = upper * (1 - down)[None, :, None] + lower * down[None, :, None]
    canvas = np.zeros((3, height, width), np.float32)
    if mistakes.pad_right_bottom:
        canvas[:, :new_rows, :new_columns] = resized
    else:
        canvas[:, height - new_rows :, width - new_columns :] = resized
    return canvas if mistakes.no_pixel_shift else canvas * 2 - 1


def run_policy(
    bundle: Path, images: dict[str, np.ndarray], state: np.ndarray, task: str, noise: np.ndarray, mistakes: Mistakes = NONE
) -> dict[str, np.ndarray]:
    policy = json.loads((bundle / "policy.json").read_text())
    statistics = load_file(bundle / policy["normalization"]["file"])
    cameras, language, flow, prefix = policy["cameras"], policy["language"], policy["flow"], policy["prefix"]

    state = state.astype(np.float32).copy()
    if mistakes.radians:
        state = np.deg2rad(state)
    if mistakes.gripper_sign:
        state[5] = -state[5]
    if mistakes.swapped_joints:
        state[[1, 2]] = state[[2, 1]]
    state_norm = np.zeros(policy["state"]["padded_dim"], np.float32)
    eps = np.float32(policy["normalization"]["eps"])
    state_norm[: state.size] = (state - statistics["observation.state.mean"]) / (statistics["observation.state.std"] + eps)

    pixels = {
        slot["name"]: resize_with_pad(images[slot["name"]], cameras["input_width"], cameras["input_height"], mistakes)[None]
        for slot in cameras["slots"]
    }

    tokenizer = Tokenizer.from_file(str(bundle / language["file"]))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    text = task + "\n" if language["append_newline"] and not mistakes.no_newline and not task.endswith("\n") else task
    ids = tokenizer.encode(text).ids
    lang_tokens = np.full(language["width"], language["pad_id"], np.int64)
    lang_tokens[: len(ids)] = ids
    lang_mask = np.arange(language["width"]) < len(ids)

    def session(name: str) -> onnxruntime.InferenceSession:
        return onnxruntime.InferenceSession(str(bundle / policy["graphs"][name]["file"]), providers=["CPUExecutionProvider"])

    vision = session("vision")
    embedded = [vision.run(["img_emb"], {"pixels": pixels[slot["name"]]})[0] for slot in cameras["slots"]]
    tokens = cameras["tokens_per_image"]
    embedded += [np.zeros((1, tokens, prefix["hidden"]), np.float32)] * cameras["empty"]
    img_emb = np.concatenate(embedded, axis=1)
    img_pad = np.arange(img_emb.shape[1])[None] < len(cameras["slots"]) * tokens
    inputs = {
        "img_emb": img_emb,
        "img_pad": img_pad,
        "lang_tokens": lang_tokens[None],
        "lang_masks": np.ones_like(lang_mask)[None] if mistakes.unmasked_padding else lang_mask[None],
        "state": state_norm[None],
    }
    pad, k_cache, v_cache = session("prefix").run(["prefix_pad_masks", "k_cache", "v_cache"], inputs)

    denoise = session("denoise")
    half = flow["time_embedding_dim"] // 2
    period = flow["min_period"] * (flow["max_period"] / flow["min_period"]) ** np.linspace(0, 1, half)
    x, first = noise, None
    for step in range(flow["steps"]):
        time = float(np.float32(1.0 - (0 if mistakes.frozen_time else step) / flow["steps"]))
        angle = 2 * np.pi / period * time
        time_emb = np.concatenate([np.sin(angle), np.cos(angle)]).astype(np.float32)[None]
        (velocity,) = denoise.run(
            ["v_t"], {"x_t": x, "time_emb": time_emb, "prefix_pad_masks": pad, "k_cache": k_cache, "v_cache": v_cache}
        )
        first = velocity if first is None else first
        x = x + np.float32(-1 / flow["steps"]) * velocity
    chunk_norm = x[:, :, : policy["action"]["dim"]]
    chunk = chunk_norm * statistics["action.std"] + statistics["action.mean"]
    return {
        "lang_tokens": lang_tokens,
        "lang_mask": lang_mask.astype(np.uint8),
        "state_norm": state_norm,
        **{f"pixels.{name}": array for name, array in pixels.items()},
        "img_emb": img_emb,
        "k_cache": k_cache,
        "v_cache": v_cache,
        "v_t_first": first,
        "chunk_norm": chunk_norm,
        "chunk": chunk,
    }
