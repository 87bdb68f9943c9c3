"""Chunk latency on this processor: LeRobot's PyTorch code against the graphs of policy bundles, side by side in one process.

    PYTHONPATH=models/export/src python models/bench/cpu_race.py --checkpoint CK/pretrained_model --bundle fp32=B32 --bundle int8=B8

Needs the exporter's environment. Every round runs each contestant once on the same observation and noise, in turn and from another
start each round, so that other load on the machine meets all alike; ratios are of the rounds' own pairs. PyTorch runs
`SmolVLAPolicy.predict_action_chunk` (eager, float32); the bundles run in ONNX Runtime with the thread settings of roarm's engine
(no spinning). PyTorch also resizes the pictures in that time, a few milliseconds of seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from roarm_export import position_ids
from roarm_export.checkpoint import read_checkpoint
from roarm_export.graph_runner import flow_times, time_embedding
from roarm_export.language import locate_vlm, read_language
from roarm_export.lerobot_policy import Observation, fix_position_ids, load_policy, make_batch, make_processors, vision_encoder
from safetensors.numpy import load_file

PYTORCH = "pytorch"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help="the checkpoint's `pretrained_model` folder")
    parser.add_argument("--vlm", type=Path, help="as for the exporter")
    parser.add_argument("--bundle", action="append", required=True, metavar="NAME=FOLDER", help="a bundle of the checkpoint; several race")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5, help="after one round of warm-up")
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    return parser.parse_args()


def pytorch_contestant(checkpoint_folder: Path, vlm_folder: Path | None, bundle: Path) -> Callable[[], np.ndarray]:
    """The observation, noise and position ids are those of `bundle`'s parity case."""
    checkpoint = read_checkpoint(checkpoint_folder)
    vlm = locate_vlm(checkpoint, vlm_folder)
    language = read_language(checkpoint, vlm, None)
    policy = load_policy(checkpoint, vlm)
    description = json.loads((bundle / "policy.json").read_text())
    if description["provenance"]["checkpoint_sha256"] != checkpoint.weights.sha256:
        raise SystemExit(f"{bundle} was not exported from {checkpoint_folder}")
    embeddings = vision_encoder(policy).embeddings
    side = embeddings.image_size // embeddings.patch_size
    fix_position_ids(policy, getattr(position_ids, description["vision_position_ids"])(side))
    fixture = load_file(bundle / "parity.safetensors")
    images = {slot.name: fixture[f"image.{slot.name}"] for slot in checkpoint.slots}
    task = json.loads((bundle / "parity.json").read_text())["task"]
    preprocessor, _ = make_processors(policy, checkpoint, language)
    batch = make_batch(preprocessor, Observation(images, fixture["state"], task, fixture["noise"]))

    def chunk() -> np.ndarray:
        with torch.no_grad():
            return policy.predict_action_chunk(dict(batch), noise=torch.from_numpy(fixture["noise"]).clone()).numpy()

    return chunk


def bundle_contestant(bundle: Path, threads: int) -> Callable[[], np.ndarray]:
    policy = json.loads((bundle / "policy.json").read_text())
    fixture = load_file(bundle / "parity.safetensors")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # As the engine sets them on the processor.
    options.enable_mem_pattern = options.enable_cpu_mem_arena = False
    for pool in ("intra_op", "inter_op"):
        options.add_session_config_entry(f"session.{pool}.allow_spinning", "0")
    vision, prefix, denoise = (
        onnxruntime.InferenceSession(str(bundle / policy["graphs"][name]["file"]), options, providers=["CPUExecutionProvider"])
        for name in ("vision", "prefix", "denoise")
    )
    cameras, flow = policy["cameras"], policy["flow"]
    embeddings = [
        time_embedding(np.float32(t), flow["time_embedding_dim"], flow["min_period"], flow["max_period"])
        for t in flow_times(flow["steps"])
    ]

    def chunk() -> np.ndarray:
        seen = [vision.run(None, {"pixels": fixture[f"pixels.{slot['name']}"]})[0] for slot in cameras["slots"]]
        tokens, width = seen[0].shape[1:]
        img_emb = np.concatenate([*seen, np.zeros((1, cameras["empty"] * tokens, width), np.float32)], axis=1)
        img_pad = np.zeros(img_emb.shape[:2], bool)
        img_pad[:, : len(seen) * tokens] = True
        pad, k_cache, v_cache = prefix.run(
            ["prefix_pad_masks", "k_cache", "v_cache"],
            {
                "img_emb": img_emb,
                "img_pad": img_pad,
                "lang_tokens": fixture["lang_tokens"][None],
                "lang_masks": fixture["lang_mask"][None].astype(bool),
                "state": fixture["state_norm"][None],
            },
        )
        cache = {"prefix_pad_masks": pad, "k_cache": k_cache, "v_cache": v_cache}
        x_t = fixture["noise"]
        for embedding in embeddings:
            x_t = x_t - np.float32(1 / flow["steps"]) * denoise.run(["v_t"], {"x_t": x_t, "time_emb": embedding, **cache})[0]
        return x_t[:, :, : policy["action"]["dim"]]

    return chunk


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    bundles = dict(entry.split("=", 1) for entry in options.bundle)
    contestants = {PYTORCH: pytorch_contestant(options.checkpoint, options.vlm, Path(next(iter(bundles.values()))))}
    contestants |= {name: bundle_contestant(Path(folder), options.threads) for name, folder in bundles.items()}
    reference = contestants[PYTORCH]()
    for name, chunk in contestants.items():
        print(f"{name}: max |z - pytorch| = {np.abs(chunk() - reference).max():.1e}", flush=True)

    names = list(contestants)
    wall: dict[str, list[float]] = {name: [] for name in names}
    cpu: dict[str, list[float]] = {name: [] for name in names}
    for number in range(options.rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            start, used = time.perf_counter(), time.process_time()
            contestants[name]()
            wall[name].append(time.perf_counter() - start)
            cpu[name].append(time.process_time() - used)
        print(f"round {number + 1}: " + ", ".join(f"{name} {wall[name][-1]:.2f} s" for name in names), flush=True)

    print(f"\n{options.threads} threads, {options.rounds} rounds, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'':10} {'wall p50':>9} {'min':>7} {'max':>7} {'cpu p50':>9} {'wall/pytorch p50 (min .. max)':>32} {'cpu/pytorch':>12}")
    results = {}
    for name in names:
        ratios = [ours / theirs for ours, theirs in zip(wall[name], wall[PYTORCH], strict=True)]
        results[name] = {
            "wall_s": wall[name],
            "cpu_s": cpu[name],
            "wall_p50_s": statistics.median(wall[name]),
            "cpu_p50_s": statistics.median(cpu[name]),
            "wall_ratio_p50": statistics.median(ratios),
            "cpu_ratio_p50": statistics.median(ours / theirs for ours, theirs in zip(cpu[name], cpu[PYTORCH], strict=True)),
        }
        result = results[name]
        spread = f"{result['wall_ratio_p50']:.2f} ({min(ratios):.2f} .. {max(ratios):.2f})"
        print(
            f"{name:10} {result['wall_p50_s']:9.2f} {min(wall[name]):7.2f} {max(wall[name]):7.2f} {result['cpu_p50_s']:9.2f}"
            f" {spread:>32} {result['cpu_ratio_p50']:12.2f}"
        )
    if options.json:
        options.json.write_text(json.dumps({"threads": options.threads, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
