"""How fast pictures of a dataset are read: `roarm` and LeRobot's own reader, in turns, in one run.

    models/export/.venv/bin/python models/bench/dataset_reading.py --program target/release/examples/read_dataset

Makes two datasets of 640x480 (AV1 and H.264) with LeRobot, then reads every frame in order and in an order that jumps. Both readers decode
to RGB; the mean of each picture has to agree within 2 of 255. `--rounds` takes turns more often; the best of each counts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"

import numpy as np
from lerobot.datasets.lerobot_dataset import LeRobotDataset

CAMERA = "observation.images.front"
EPISODES, LENGTH = 3, 100
TOLERANCE = 2.0


def make(root: Path, codec: str) -> LeRobotDataset:
    joints = {"dtype": "float32", "shape": (6,), "names": None}
    features = {"observation.state": joints, "action": joints, CAMERA: {"dtype": "video", "shape": (480, 640, 3), "names": None}}
    features[CAMERA]["names"] = ["height", "width", "channels"]
    made = LeRobotDataset.create("local/bench", fps=30, features=features, root=root, vcodec=codec)
    random = np.random.default_rng(0)
    y, x = np.mgrid[0:480, 0:640]
    for episode in range(EPISODES):
        for frame in range(LENGTH):
            rgb = np.stack([120 + 90 * np.sin(x / 37 + frame / 9), 110 + 80 * np.cos(y / 29 + episode), 60 + x / 6], axis=-1)
            # The noise of a camera's sensor: what makes decoding work.
            rgb = np.clip(rgb + random.normal(0, 3, rgb.shape), 0, 255).astype(np.uint8)
            pose = np.full(6, frame, np.float32)
            made.add_frame({"observation.state": pose, "action": pose, CAMERA: rgb, "task": "Wave."})
        made.save_episode()
    made.finalize()
    return LeRobotDataset("local/bench", root=root, video_backend="pyav")


def order(frames: int, name: str) -> list[int]:
    """As the program does it."""
    return list(range(frames)) if name == "sequential" else [step * 7919 % frames for step in range(frames)]


def lerobot(dataset: LeRobotDataset, name: str) -> tuple[float, np.ndarray]:
    means = np.zeros(len(dataset))
    started = time.perf_counter()
    for index in order(len(dataset), name):
        means[index] = dataset[index][CAMERA].mean().item() * 255
    return time.perf_counter() - started, means


def roarm(program: Path, root: Path, name: str) -> tuple[float, np.ndarray]:
    done = subprocess.run([program, root, CAMERA, name], check=True, capture_output=True, text=True)
    result = json.loads(done.stdout)
    return result["seconds"] + result["open_s"], np.array(result["means"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True, help="the example read_dataset, built with --release")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for title, codec in (("AV1", "libsvtav1"), ("H.264", "h264")):
            dataset = make(Path(folder) / codec, codec)
            for name in ("sequential", "random"):
                ours, theirs = [], []
                for _ in range(options.rounds):
                    taken, means = roarm(options.program, dataset.root, name)
                    ours.append(taken)
                    taken, expected = lerobot(dataset, name)
                    theirs.append(taken)
                    worst = np.abs(means - expected).max()
                    if worst > TOLERANCE:
                        raise SystemExit(f"{title} {name}: a picture differs by {worst:.2f} of 255 in the mean")
                frames = len(dataset)
                print(f"{title:6} {name:10} roarm {frames / min(ours):7.1f} frames/s  LeRobot {frames / min(theirs):6.1f} frames/s"
                      f"  {min(theirs) / min(ours):5.1f}x  (means within {worst:.2f} of 255)", flush=True)


if __name__ == "__main__":
    main()
