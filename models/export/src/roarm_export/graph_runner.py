"""Runs a bundle's graphs from preprocessed inputs to a normalised chunk. Needs numpy and ONNX Runtime only."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnxruntime

from .real_time_chunking import Guidance, guided_velocity


def time_embedding(t: np.float32, size: int, min_period: float, max_period: float) -> np.ndarray:
    """LeRobot's sine-cosine embedding of the flow time: float64 inside, float32 (1, size) outside."""
    fraction = np.linspace(0.0, 1.0, size // 2, dtype=np.float64)
    period = min_period * (max_period / min_period) ** fraction
    angle = 1.0 / period * 2 * math.pi * float(t)
    return np.concatenate([np.sin(angle), np.cos(angle)]).astype(np.float32)[None]


def flow_times(steps: int) -> list[float]:
    """1, 1 - 1/steps, ...: computed in float64, as LeRobot does; the embedding sees them rounded."""
    return [1.0 + step * (-1.0 / steps) for step in range(steps)]


def run_graphs(
    bundle: Path, policy: dict, fixture: dict[str, np.ndarray], guided: tuple[Guidance, ...] = ()
) -> dict[str, np.ndarray]:
    """`policy` is the content of policy.json, `fixture` that of parity.safetensors. Returns `img_emb`, `k_cache`, `v_cache`,
    `v_t_first` and `chunk_norm` (1, horizon, action_dim) as ONNX Runtime computes them on the CPU, and for each of `guided`
    `real_time_chunking.N.chunk_norm`."""
    session = {
        name: onnxruntime.InferenceSession(str(bundle / graph["file"]), providers=["CPUExecutionProvider"])
        for name, graph in policy["graphs"].items()
    }
    cameras, flow = policy["cameras"], policy["flow"]
    seen = [session["vision"].run(None, {"pixels": fixture[f"pixels.{slot['name']}"]})[0] for slot in cameras["slots"]]
    tokens, width = seen[0].shape[1:]
    img_emb = np.concatenate([*seen, np.zeros((1, cameras["empty"] * tokens, width), np.float32)], axis=1)
    img_pad = np.zeros(img_emb.shape[:2], bool)
    img_pad[:, : len(seen) * tokens] = True
    pad, k_cache, v_cache = session["prefix"].run(
        ["prefix_pad_masks", "k_cache", "v_cache"],
        {
            "img_emb": img_emb,
            "img_pad": img_pad,
            "lang_tokens": fixture["lang_tokens"][None],
            "lang_masks": fixture["lang_mask"][None].astype(bool),
            "state": fixture["state_norm"][None],
        },
    )

    def integrate(guidance: Guidance | None) -> tuple[np.ndarray, np.ndarray]:
        """The normalised chunk, and the policy's velocity in the first step."""
        x_t, dt, first = fixture["noise"], np.float32(-1.0 / flow["steps"]), None
        for t in flow_times(flow["steps"]):
            time_emb = time_embedding(np.float32(t), flow["time_embedding_dim"], flow["min_period"], flow["max_period"])
            (v_t,) = session["denoise"].run(
                ["v_t"], {"x_t": x_t, "time_emb": time_emb, "prefix_pad_masks": pad, "k_cache": k_cache, "v_cache": v_cache}
            )
            first = v_t if first is None else first
            x_t = x_t + dt * (guided_velocity(v_t, x_t, t, guidance) if guidance else v_t)
        return x_t[:, :, : policy["action"]["dim"]], first

    chunk_norm, first = integrate(None)
    computed = {"img_emb": img_emb, "k_cache": k_cache, "v_cache": v_cache, "v_t_first": first, "chunk_norm": chunk_norm}
    return computed | {f"real_time_chunking.{index}.chunk_norm": integrate(case)[0] for index, case in enumerate(guided)}
