"""Writes `policy.json` and `SHA256SUMS`, and puts the finished bundle in place."""

from __future__ import annotations

import hashlib
import json
import os
import time
from importlib import metadata
from pathlib import Path

from . import __version__
from .checkpoint import ACTION, STATE, Checkpoint
from .dataset import DatasetFacts
from .errors import ExportError
from .language import Language
from .statistics import Normalization

FORMAT, FORMAT_VERSION = "roarm-policy", "1.2"

BUNDLE_FILES = (
    "policy.json",
    "vision.onnx",
    "prefix.onnx",
    "denoise.onnx",
    "tokenizer.json",
    "normalization.safetensors",
    "parity.safetensors",
    "parity.json",
)
CHECKSUMS = "SHA256SUMS"

PROVENANCE_PACKAGES = ("torch", "lerobot", "transformers", "tokenizers", "onnx", "onnxscript", "onnxruntime", "numpy", "safetensors")


def describe_policy(
    checkpoint: Checkpoint,
    language: Language,
    normalization: Normalization,
    facts: DatasetFacts,
    graphs: dict,
    vision_position_ids: str,
) -> dict:
    """The content of policy.json. Every dimension comes from the checkpoint or from the exported graphs."""
    config = checkpoint.config
    shapes = {tensor["name"]: tensor["shape"] for graph in graphs.values() for tensor in graph["inputs"] + graph["outputs"]}
    _, tokens, _ = graphs["vision"]["outputs"][0]["shape"]
    layers, _, length, kv_heads, head_dim = shapes["k_cache"]
    height, width = checkpoint.input_size
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "policy_type": "smolvla",
        "chunk": {"horizon": config["chunk_size"], "n_action_steps": config["n_action_steps"], "fps": facts.fps},
        "state": {
            "key": STATE,
            "dim": checkpoint.state_dim,
            "padded_dim": shapes["state"][1],
            "names": list(facts.state_names),
            "normalization": "mean_std",
        },
        "action": {
            "key": ACTION,
            "dim": checkpoint.action_dim,
            "padded_dim": shapes["x_t"][2],
            "names": list(facts.action_names),
            "normalization": "mean_std",
        },
        "frame": "sdk_degrees",
        "normalization": {"file": "normalization.safetensors", "eps": normalization.eps},
        "cameras": {
            "slots": [{"name": slot.name, "height": slot.height, "width": slot.width} for slot in checkpoint.slots],
            "empty": checkpoint.empty_cameras,
            "input_height": height,
            "input_width": width,
            "pad_side": "left_top",
            "pad_value": 0.0,
            "range": [-1.0, 1.0],
            "tokens_per_image": tokens,
        },
        "language": {
            "file": "tokenizer.json",
            "width": language.width,
            "append_newline": language.append_newline,
            "padding_side": "right",
            "pad_id": language.pad_id,
        },
        "flow": {
            "steps": config["num_steps"],
            "time_embedding_dim": shapes["time_emb"][1],
            "min_period": config["min_period"],
            "max_period": config["max_period"],
        },
        "prefix": {"length": length, "hidden": shapes["img_emb"][2], "layers": layers, "kv_heads": kv_heads, "head_dim": head_dim},
        "vision_position_ids": vision_position_ids,
        "graphs": graphs,
        "provenance": {
            "exporter": f"roarm_export {__version__}",
            "checkpoint_sha256": checkpoint.weights.sha256,
            "parameters": checkpoint.weights.parameters,
            "packages": {name: metadata.version(name) for name in PROVENANCE_PACKAGES},
            "created": creation_time(),
            "training_dtype": "bfloat16" if checkpoint.trained_in_bfloat16 else "float32",
        },
    }


def creation_time() -> str:
    """Now, or SOURCE_DATE_EPOCH for a reproducible bundle; UTC, ISO 8601."""
    seconds = float(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def write_json(path: Path, content: dict) -> None:
    path.write_text(readable(content) + "\n")


def readable(value: object, indent: str = "") -> str:
    """JSON with one line for everything that fits on one: shapes and tensors stay legible."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(indent) + len(line) <= 120:
        return line
    deeper = indent + "  "
    if isinstance(value, dict):
        items, brackets = [f"{json.dumps(key)}: {readable(item, deeper)}" for key, item in value.items()], "{}"
    else:
        items, brackets = [readable(item, deeper) for item in value], "[]"
    return brackets[0] + "\n" + ",\n".join(deeper + item for item in items) + "\n" + indent + brackets[1]


def write_checksums(folder: Path) -> None:
    """`sha256sum` lines, so that `sha256sum -c SHA256SUMS` checks a bundle too."""
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in sorted(BUNDLE_FILES)]
    (folder / CHECKSUMS).write_text("".join(lines))


def check_out(out: Path) -> None:
    """Raises `ExportError` unless a bundle can be written to `out`."""
    if out.exists() and not out.is_dir():
        raise ExportError(f"--out {out} is not a folder", "name a folder")
    if out.is_dir() and any(out.iterdir()) and not (out / "policy.json").exists():
        raise ExportError(f"--out {out} holds other files and no bundle", "name a new folder, or one that holds a bundle to replace")


def put_in_place(finished: Path, out: Path) -> None:
    """Moves the files of a finished bundle into `out`; both are on one file system. Other files in `out`, such as a README, stay.

    The checksums go first and come last, so that an interrupted move leaves a folder that no runtime accepts."""
    out.mkdir(parents=True, exist_ok=True)
    (out / CHECKSUMS).unlink(missing_ok=True)
    for name in (*BUNDLE_FILES, CHECKSUMS):
        (finished / name).replace(out / name)
