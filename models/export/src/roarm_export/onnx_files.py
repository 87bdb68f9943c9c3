"""Traces the graphs and writes them as ONNX files."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import onnx_ir
import torch
from lerobot.policies.smolvla.modeling_smolvla import VLAFlowMatching

from .graph_runner import time_embedding
from .graphs import DenoiseGraph, PrefixGraph, VisionGraph

# It warns about torchvision operators that no policy uses.
logging.getLogger("torch.onnx._internal.exporter._schemas").setLevel(logging.ERROR)

# IR version 10 and opset 20 need ONNX Runtime 1.18 or newer.
OPSET = 20

INPUTS = {
    "vision": ("pixels",),
    "prefix": ("img_emb", "img_pad", "lang_tokens", "lang_masks", "state"),
    "denoise": ("x_t", "time_emb", "prefix_pad_masks", "k_cache", "v_cache"),
}
OUTPUTS = {"vision": ("img_emb",), "prefix": ("prefix_pad_masks", "k_cache", "v_cache"), "denoise": ("v_t",)}

DTYPES = {torch.float32: "float32", torch.float16: "float16", torch.int64: "int64", torch.bool: "bool"}


def export_graphs(
    model: VLAFlowMatching, position_ids: np.ndarray, fixture: dict[str, np.ndarray], slots: list[str], empty: int, folder: Path
) -> tuple[dict, dict[str, np.ndarray]]:
    """Writes `vision.onnx`, `prefix.onnx` and `denoise.onnx` to `folder`.

    Returns the `graphs` entry of policy.json, and the values between the graphs as PyTorch computes them for `fixture`
    (`img_emb`, `k_cache`, `v_cache`, `v_t_first`).
    """
    config = model.config
    pixels = [torch.from_numpy(fixture[f"pixels.{slot}"]) for slot in slots]
    vision, prefix, denoise = VisionGraph(model, position_ids).eval(), PrefixGraph(model).eval(), DenoiseGraph(model).eval()
    described = {}
    with torch.no_grad():
        seen = [vision(image) for image in pixels]
        tokens, width = seen[0].shape[1:]
        img_emb = torch.cat([*seen, torch.zeros(1, empty * tokens, width)], dim=1)
        img_pad = torch.zeros(img_emb.shape[:2], dtype=torch.bool)
        img_pad[:, : len(seen) * tokens] = True
        prefix_inputs = (
            img_emb,
            img_pad,
            torch.from_numpy(fixture["lang_tokens"])[None],
            torch.from_numpy(fixture["lang_mask"])[None].bool(),
            torch.from_numpy(fixture["state_norm"])[None],
        )
        cache = prefix(*prefix_inputs)
        time_emb = torch.from_numpy(
            time_embedding(np.float32(1.0), model.vlm_with_expert.expert_hidden_size, config.min_period, config.max_period)
        )
        denoise_inputs = (torch.from_numpy(fixture["noise"]), time_emb, *cache)
        described["vision"] = export_one("vision", vision, (pixels[0],), (seen[0],), folder)
        described["prefix"] = export_one("prefix", prefix, prefix_inputs, cache, folder)
        v_t = denoise(*denoise_inputs)
        described["denoise"] = export_one("denoise", denoise, denoise_inputs, (v_t,), folder)
    between = {"img_emb": img_emb, "k_cache": cache[1], "v_cache": cache[2], "v_t_first": v_t}
    return described, {name: np.ascontiguousarray(tensor.numpy()) for name, tensor in between.items()}


def export_one(name: str, module: torch.nn.Module, inputs: tuple, outputs: tuple, folder: Path) -> dict:
    program = torch.onnx.export(
        module,
        inputs,
        input_names=list(INPUTS[name]),
        output_names=list(OUTPUTS[name]),
        dynamo=True,
        opset_version=OPSET,
        external_data=False,
        verbose=False,
    )
    strip(program.model)
    program.save(folder / f"{name}.onnx", external_data=False)
    return {
        "file": f"{name}.onnx",
        "inputs": [describe(tensor_name, tensor) for tensor_name, tensor in zip(INPUTS[name], inputs, strict=True)],
        "outputs": [describe(tensor_name, tensor) for tensor_name, tensor in zip(OUTPUTS[name], outputs, strict=True)],
    }


def describe(name: str, tensor: torch.Tensor) -> dict:
    return {"name": name, "dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape)}


def strip(model: onnx_ir.Model) -> None:
    """Removes what the exporter notes about its own source: stack traces and module names, a megabyte a graph."""
    model.metadata_props.clear()
    model.doc_string = None
    for graph in (model.graph, *(function.graph for function in model.functions.values())):
        graph.metadata_props.clear()
        graph.doc_string = None
        values = [*graph.inputs, *graph.outputs, *graph.initializers.values()]
        for node in graph.all_nodes():
            node.metadata_props.clear()
            node.doc_string = None
            values.extend(node.outputs)
        for value in values:
            value.metadata_props.clear()
            value.doc_string = None
