"""Runs a bundle's graphs from preprocessed inputs to a normalised chunk. Needs numpy and ONNX Runtime only."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnxruntime

from .real_time_chunking import Guidance, guidance_weight, guided_velocity, prefix_weights


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
        name: onnxruntime.InferenceSession(str(bundle / policy["graphs"][name]["file"]), providers=["CPUExecutionProvider"])
        for name in ("vision", "prefix", "denoise")
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


def run_fused(bundle: Path, policy: dict, fixture: dict[str, np.ndarray], guided: tuple[Guidance, ...] = ()) -> dict[str, np.ndarray]:
    """`chunk_norm` and `real_time_chunking.N.chunk_norm` as `run_graphs`, by the fused graph."""
    options = onnxruntime.SessionOptions()
    # On the processor each of the copies would pack its weights anew: ten times denoise.
    options.add_session_config_entry("session.disable_prepacking", "1")
    session = onnxruntime.InferenceSession(str(bundle / policy["graphs"]["fused"]["file"]), options, providers=["CPUExecutionProvider"])
    noise, times = fixture["noise"], flow_times(policy["flow"]["steps"])
    inputs = {f"pixels.{index}": fixture[f"pixels.{slot['name']}"] for index, slot in enumerate(policy["cameras"]["slots"])}
    inputs |= {
        "lang_tokens": fixture["lang_tokens"][None],
        "lang_masks": fixture["lang_mask"][None].astype(bool),
        "state": fixture["state_norm"][None],
        "noise": noise,
    }

    def chunk(guidance: Guidance | None) -> np.ndarray:
        previous, weights = np.zeros_like(noise), np.zeros((1, noise.shape[1], 1), np.float32)
        strengths = np.zeros(len(times), np.float32)
        if guidance:
            rows, dim = guidance.previous.shape
            previous[0, :rows, :dim] = guidance.previous
            reach = min(guidance.execution_horizon, rows)
            weights[0, :, 0] = prefix_weights(guidance.schedule, guidance.inference_delay, reach, noise.shape[1])
            strengths[:] = [guidance_weight(time, guidance.max_guidance_weight) for time in times]
        guides = {"previous": previous, "previous_weights": weights, "guidance_weights": strengths}
        return session.run(["actions"], inputs | guides)[0][:, :, : policy["action"]["dim"]]

    return {"chunk_norm": chunk(None)} | {f"real_time_chunking.{index}.chunk_norm": chunk(case) for index, case in enumerate(guided)}
