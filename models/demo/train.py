#!/usr/bin/env python3
"""Trains the demo's policy and writes its bundle.

    models/export/.venv/bin/python models/demo/train.py --data DIR [--out models/demo/bundle]

DIR is the dataset of `cargo run --release --example demo_data`; README.md beside this file has the whole recipe.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def main() -> None:
    from demo_policy.training import Recipe

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the dataset")
    parser.add_argument("--out", type=Path, default=HERE / "bundle", help="the bundle's folder; the loss curve goes beside it (default: %(default)s)")
    parser.add_argument("--iterations", type=int, default=Recipe.iterations, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=Recipe.seed, help="of weights, order and noise (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch; another number gives another last digit (default: %(default)s)")
    options = parser.parse_args()

    import torch
    from demo_policy.bundle import write_bundle
    from demo_policy.demonstrations import read
    from demo_policy.training import train

    torch.set_num_threads(options.threads)
    data = read(options.data)
    print(f"{len(data):,} frames", flush=True)
    recipe = Recipe(iterations=options.iterations, seed=options.seed)
    curve: list[dict[str, float]] = []

    def report(losses: dict[str, float], _averaged: dict) -> None:
        curve.append(losses)
        print("  ".join(f"{name} {value:.4g}" for name, value in losses.items()), flush=True)

    policy = train(data, recipe, report)
    statistics = {"state": data.state_statistics, "action": data.action_statistics}
    facts = {"recipe": asdict(recipe), "dataset": digest(options.data), "frames": len(data)}
    picture, state = data.pictures[0].numpy(), data.states[0].numpy() * data.state_statistics["std"] + data.state_statistics["mean"]
    write_bundle(policy, statistics, 30, facts, picture, state, options.out, lambda text: print(text, flush=True))
    with (options.out.parent / "loss_curve.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(curve[0]))
        writer.writeheader()
        writer.writerows({name: f"{value:.5g}" for name, value in losses.items()} for losses in curve)
    print(f"wrote {options.out}")


def digest(folder: Path) -> str:
    """SHA-256 over the dataset's marks: they come from the same steps as everything else in it."""
    return "marks sha256 " + hashlib.sha256((folder / "marks.jsonl").read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
