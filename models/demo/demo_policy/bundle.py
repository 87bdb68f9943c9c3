"""A trained network becomes a policy bundle, proved against PyTorch like one that `roarm_export` writes."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from roarm_export.bundle import FORMAT, FORMAT_VERSION, check_out, creation_time, put_in_place, write_checksums, write_json
from roarm_export.errors import ExportError
from roarm_export.graph_runner import flow_times, time_embedding
from roarm_export.onnx_files import export_one
from roarm_export.parity import check_graphs
from roarm_export.precision import FLOAT32, describe_precision, parity_limits
from roarm_export.real_time_chunking import Guidance, guided_velocity, parity_cases
from safetensors.numpy import save
from torch import Tensor

from . import words
from .demonstrations import CAMERA
from .graphs import LENGTH, graphs
from .network import HEAD_DIM, HIDDEN, HORIZON, INPUT, JOINTS, LANGUAGE_WIDTH, MAX_PERIOD, MIN_PERIOD, PICTURE_HEIGHT, PICTURE_WIDTH, TIME_DIM, TOKENS, Policy

NAMES = ["base.pos", "shoulder.pos", "elbow.pos", "wrist.pos", "roll.pos", "gripper.pos"]
STEPS, EPS = 10, 1e-8
PACKAGES = ("torch", "tokenizers", "onnx", "onnxscript", "onnxruntime", "numpy", "safetensors")
ACTION_STEPS = 25


def write_bundle(
    policy: Policy, statistics: dict[str, dict[str, np.ndarray]], fps: int, facts: dict[str, object], picture: np.ndarray, state: np.ndarray, out: Path, report: Callable[[str], None]
) -> None:
    """Writes the bundle to `out`. `statistics` has `state` and `action`; `picture` (96, 128, 3) and `state` (6) are the observation
    of the parity case; `facts` go into `provenance`."""
    check_out(out)
    round_weights(policy)
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        parts = graphs(policy)
        task = words.INSTRUCTIONS[0]
        ids, mask = (np.array(part) for part in words.encode(task))
        known = statistics["state"]
        state_norm = ((state - known["mean"]) / (known["std"] + EPS)).astype(np.float32)
        image = picture.astype(np.float32).transpose(2, 0, 1) / np.float32(255)
        pixels = letterbox(image)
        noise = np.random.default_rng(20260101).standard_normal((1, HORIZON, JOINTS)).astype(np.float32)
        with torch.no_grad():
            described, between = export(parts, pixels, ids, mask, state_norm, noise, work)
            store_in_half(work / described["denoise"]["file"])
            cache = tuple(torch.from_numpy(between[name]) for name in ("mask", "k_cache", "v_cache"))
            chunk_norm = integrate(parts["denoise"], cache, noise, None)
            guided = parity_cases(chunk_norm)
            answers = {f"real_time_chunking.{index}.chunk_norm": integrate(parts["denoise"], cache, noise, case) for index, case in enumerate(guided)}
        action = statistics["action"]
        fixture = {
            f"image.{CAMERA}": image,
            "state": state.astype(np.float32),
            "lang_tokens": ids.astype(np.int64),
            "lang_mask": mask.astype(np.uint8),
            "state_norm": state_norm,
            f"pixels.{CAMERA}": pixels,
            "noise": noise,
            "chunk_norm": chunk_norm,
            "chunk": (chunk_norm * action["std"] + action["mean"]).astype(np.float32),
            **{name: between[name] for name in ("img_emb", "k_cache", "v_cache", "v_t_first")},
            **{f"real_time_chunking.{index}.previous": case.previous for index, case in enumerate(guided)},
            **answers,
        }
        fixture = {name: np.ascontiguousarray(array) for name, array in fixture.items()}
        description = describe(described, fps, facts, policy)
        limits = parity_limits(FLOAT32, action["std"])
        differences = check_graphs(work, description, fixture, tuple(guided), limits)
        report(f"graphs against PyTorch: {differences['chunk_norm']:.1e} (limit {limits['chunk_norm']:.0e})")
        describe_precision(work, description, FLOAT32)
        write_json(work / "policy.json", description)
        tensors = {f"observation.state.{name}": array for name, array in statistics["state"].items()}
        tensors |= {f"action.{name}": array for name, array in action.items()}
        (work / "normalization.safetensors").write_bytes(save(tensors))
        (work / "parity.safetensors").write_bytes(save(fixture))
        write_json(work / "parity.json", {"task": task, "limits": limits, "real_time_chunking": [case.parameters() for case in guided]})
        (work / "tokenizer.json").write_text(words.tokenizer_json() + "\n")
        write_checksums(work)
        put_in_place(work, out)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def round_weights(policy: Policy) -> None:
    """The flow step's weights become what 16 bits can hold, so that they can be stored in 16; everything is computed in 32."""
    with torch.no_grad():
        for parameter in policy.flow.parameters():
            parameter.copy_(parameter.half().float())


def weights_digest(policy: Policy) -> str:
    """SHA-256 of all weights, by name."""
    tensors = {name: np.ascontiguousarray(tensor.numpy()) for name, tensor in policy.state_dict().items()}
    return hashlib.sha256(save(tensors)).hexdigest()


def store_in_half(path: Path) -> None:
    """Large weights of a graph, rounded before, are stored in 16 bits and widened when the graph is loaded."""
    model = onnx.load(path)
    for tensor in list(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        # the projection that smooths is no weight, and not rounded
        if values.dtype != np.float32 or values.size < 10_000:
            continue
        half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            raise ExportError(f"{path.name}: {tensor.name} was not rounded to 16 bits", "this is a slip in the exporter: report it")
        model.graph.initializer.remove(tensor)
        model.graph.initializer.append(numpy_helper.from_array(half, f"{tensor.name}.half"))
        model.graph.node.insert(0, helper.make_node("Cast", [f"{tensor.name}.half"], [tensor.name], to=TensorProto.FLOAT))
    onnx.checker.check_model(model)
    onnx.save(model, path)


def letterbox(image: np.ndarray) -> np.ndarray:
    """(3, 96, 128) in 0..1 -> (1, 3, 512, 512) in -1..1, as the runtime does it: bilinear, padded on the left and above."""
    wide = torch.nn.functional.interpolate(torch.from_numpy(image)[None], size=(INPUT * PICTURE_HEIGHT // PICTURE_WIDTH, INPUT), mode="bilinear", align_corners=False)
    padded = torch.nn.functional.pad(wide, (0, 0, INPUT - wide.shape[2], 0), value=0.0)
    return (padded * 2 - 1).numpy()


def export(parts: dict, pixels: np.ndarray, ids: np.ndarray, mask: np.ndarray, state_norm: np.ndarray, noise: np.ndarray, folder: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Writes the graphs; their description, and the values between them."""
    seen_input = (torch.from_numpy(pixels),)
    img_emb = parts["vision"](*seen_input)
    prefix_input = (
        img_emb,
        torch.ones(1, TOKENS, dtype=torch.bool),
        torch.from_numpy(ids)[None],
        torch.from_numpy(mask)[None].bool(),
        torch.from_numpy(state_norm)[None],
    )
    cache = parts["prefix"](*prefix_input)
    time_emb = torch.from_numpy(time_embedding(np.float32(1.0), TIME_DIM, MIN_PERIOD, MAX_PERIOD))
    flow_input = (torch.from_numpy(noise), time_emb, *cache)
    v_t = parts["denoise"](*flow_input)
    described = {
        "vision": export_one("vision", parts["vision"], seen_input, (img_emb,), folder),
        "prefix": export_one("prefix", parts["prefix"], prefix_input, cache, folder),
        "denoise": export_one("denoise", parts["denoise"], flow_input, (v_t,), folder),
    }
    between = {"img_emb": img_emb, "mask": cache[0], "k_cache": cache[1], "v_cache": cache[2], "v_t_first": v_t}
    return described, {name: tensor.numpy() for name, tensor in between.items()}


def integrate(flow: torch.nn.Module, cache: tuple[Tensor, ...], noise: np.ndarray, guidance: Guidance | None) -> np.ndarray:
    """PyTorch's answer: the normalised chunk (1, 50, 6)."""
    x_t, dt = noise, np.float32(-1.0 / STEPS)
    for t in flow_times(STEPS):
        time_emb = torch.from_numpy(time_embedding(np.float32(t), TIME_DIM, MIN_PERIOD, MAX_PERIOD))
        v_t = flow(torch.from_numpy(x_t), time_emb, *cache).numpy()
        x_t = x_t + dt * (guided_velocity(v_t, x_t, t, guidance) if guidance else v_t)
    return x_t


def describe(described: dict, fps: int, facts: dict[str, object], policy: Policy) -> dict:
    """The content of policy.json."""
    vector = {"dim": JOINTS, "padded_dim": JOINTS, "names": NAMES, "normalization": "mean_std"}
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "policy_type": "smolvla",
        "chunk": {"horizon": HORIZON, "n_action_steps": ACTION_STEPS, "fps": fps},
        "state": {"key": "observation.state", **vector},
        "action": {"key": "action", **vector},
        "frame": "sdk_degrees",
        "normalization": {"file": "normalization.safetensors", "eps": EPS},
        "cameras": {
            "slots": [{"name": CAMERA, "height": PICTURE_HEIGHT, "width": PICTURE_WIDTH}],
            "empty": 0,
            "input_height": INPUT,
            "input_width": INPUT,
            "pad_side": "left_top",
            "pad_value": 0.0,
            "range": [-1.0, 1.0],
            "tokens_per_image": TOKENS,
        },
        "language": {"file": "tokenizer.json", "width": LANGUAGE_WIDTH, "append_newline": True, "padding_side": "right", "pad_id": words.PAD_ID},
        "flow": {"steps": STEPS, "time_embedding_dim": TIME_DIM, "min_period": MIN_PERIOD, "max_period": MAX_PERIOD},
        "prefix": {"length": LENGTH, "hidden": HIDDEN, "layers": 1, "kv_heads": 1, "head_dim": HEAD_DIM},
        "vision_position_ids": "canonical",
        "graphs": described,
        "provenance": {
            "exporter": "demo_policy",
            "checkpoint_sha256": weights_digest(policy),
            "parameters": sum(parameter.numel() for parameter in policy.parameters()),
            "packages": {name: metadata.version(name) for name in PACKAGES},
            "created": creation_time(),
            "training_dtype": "float32",
            **facts,
        },
    }
