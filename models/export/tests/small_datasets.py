"""Writes the small datasets of `tests/data/` with whichever LeRobot is installed, and what LeRobot itself reads from them.

    python small_datasets.py OUT          # LeRobot 0.4: lerobot_v3_images and lerobot_v3_two_cameras
                                          # LeRobot 0.3: lerobot_v21_video and lerobot_v21_images

Every picture tells its own number: red is 60 * episode + 40, a white square of 8 px stands at x = (3 * frame) % 40 (front) or (5 * frame) % 40 (wrist).
"""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"

import shutil
import sys
from pathlib import Path

import numpy as np
from lerobot.datasets.lerobot_dataset import CODEBASE_VERSION, LeRobotDataset

JOINTS = [f"{name}.pos" for name in ("base", "shoulder", "elbow", "wrist", "roll", "gripper")]
FRONT, WRIST = "observation.images.front", "observation.images.wrist"
SIZES = {FRONT: (48, 64), WRIST: (64, 48)}  # height, width
STEP = {FRONT: 3, WRIST: 5}
EPISODES = [("Pick up the red cube.", 12), ("Open the gripper.", 7), ("Pick up the red cube.", 9)]
FPS = 30


def features(cameras: list[str], dtype: str) -> dict:
    joints = {"dtype": "float32", "shape": (6,), "names": JOINTS}
    pictures = {key: {"dtype": dtype, "shape": (*SIZES[key], 3), "names": ["height", "width", "channels"]} for key in cameras}
    return {"observation.state": joints, "action": joints, **pictures}


def picture(key: str, episode: int, frame: int) -> np.ndarray:
    height, width = SIZES[key]
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 0] = 60 * episode + 40
    rgb[..., 1] = np.linspace(0, 255, height)[:, None]
    left = (STEP[key] * frame) % 40
    rgb[20:28, left : left + 8] = 255
    return rgb


def pose(episode: int, frame: int) -> np.ndarray:
    centre = np.array([-1, 49, 25, 50, -2, 22], float)
    swing = np.array([14, 45, 75, 35, 18, 20], float)
    return (centre + swing * np.sin(episode + np.arange(6) + frame / 4)).astype(np.float32)


def write(root: Path, cameras: list[str], dtype: str, small_files: bool) -> LeRobotDataset:
    shutil.rmtree(root, ignore_errors=True)
    made = LeRobotDataset.create(
        "local/small", fps=FPS, features=features(cameras, dtype), root=root, robot_type="roarm_m3", use_videos=dtype == "video"
    )
    if small_files:
        # Every episode begins a new file, data and videos apart.
        made.meta.update_chunk_settings(data_files_size_in_mb=0.001, video_files_size_in_mb=0.001)
    for episode, (task, length) in enumerate(EPISODES):
        for frame in range(length):
            row = {"observation.state": pose(episode, frame), "action": pose(episode, frame + 1)}
            row |= {key: picture(key, episode, frame) for key in cameras}
            if CODEBASE_VERSION == "v3.0":
                made.add_frame({**row, "task": task})
            else:
                made.add_frame(row, task=task)
        made.save_episode()
    if CODEBASE_VERSION == "v3.0":
        made.finalize()
    shutil.rmtree(root / "images", ignore_errors=True)
    return LeRobotDataset("local/small", root=root, video_backend="pyav")


def expected(dataset: LeRobotDataset) -> dict[str, np.ndarray]:
    """Pictures as bytes: LeRobot gives them as byte / 255."""
    found = {}
    for index in range(len(dataset)):
        item = dataset[index]
        for key in ("observation.state", "action", "timestamp", "episode_index", "frame_index", "index", "task_index"):
            found[f"{index}.{key}"] = item[key].numpy()
        for key in dataset.meta.camera_keys:
            rgb = np.round(item[key].numpy() * 255).astype(np.uint8)
            assert np.abs(rgb / np.float32(255) - item[key].numpy()).max() < 1e-6
            found[f"{index}.{key}"] = rgb
    return found


def main() -> None:
    out = Path(sys.argv[1])
    if CODEBASE_VERSION == "v3.0":
        # One file of all episodes, and a file for each.
        wanted = {"lerobot_v3_images": ([FRONT, WRIST], "image", False), "lerobot_v3_two_cameras": ([FRONT, WRIST], "video", True)}
    else:
        wanted = {"lerobot_v21_video": ([FRONT, WRIST], "video", False), "lerobot_v21_images": ([FRONT], "image", False)}
    for name, (cameras, dtype, small_files) in wanted.items():
        dataset = write(out / name, cameras, dtype, small_files)
        np.savez_compressed(out / f"{name}.expected.npz", **expected(dataset))
        print(name, CODEBASE_VERSION, len(dataset), "frames")


if __name__ == "__main__":
    main()
