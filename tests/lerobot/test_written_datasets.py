"""Datasets that `roarm dataset export` writes, opened, compared and trained on by LeRobot itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import DATA
from lerobot.datasets.lerobot_dataset import LeRobotDataset

NUMBERS = ("observation.state", "action", "timestamp", "frame_index", "episode_index", "index", "task_index")
ALL = ["lerobot_v3_images", "lerobot_v3_two_cameras", "lerobot_v21_video", "lerobot_v21_images"]
LEAST_DB = 38.0
# The small sets have a white square on a plain colour: 4:2:0 stores colour at half the resolution, whatever encodes it.
LEAST_HARD_EDGES_DB = 30.0


def opened(root: Path) -> LeRobotDataset:
    return LeRobotDataset("local/written", root=root, video_backend="pyav")


def psnr_db(a: np.ndarray, b: np.ndarray) -> float:
    squares = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return 10 * np.log10(255.0**2 / max(squares, 1e-9))


def picture(item: dict, key: str) -> np.ndarray:
    return np.round(item[key].numpy() * 255).astype(np.uint8)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("storage", ["--images", "--video"])
def test_rows_tasks_and_pictures(roarm, tmp_path: Path, name: str, storage: str) -> None:
    roarm("export", DATA / name, "--out", tmp_path / "new", storage)
    dataset, expected = opened(tmp_path / "new"), np.load(DATA / f"{name}.expected.npz")
    assert (len(dataset), dataset.num_episodes, dataset.fps) == (28, 3, 30)
    for index in range(len(dataset)):
        item = dataset[index]
        for key in NUMBERS:
            found, stated = item[key].numpy(), expected[f"{index}.{key}"]
            assert found.dtype == stated.dtype and found.tobytes() == stated.tobytes(), (index, key)
        assert item["task"] == ("Open the gripper." if 12 <= index < 19 else "Pick up the red cube.")
        for key in dataset.meta.camera_keys:
            found, stated = picture(item, key), expected[f"{index}.{key}"]
            if storage == "--images" and "video" not in name and "two" not in name:
                np.testing.assert_array_equal(found, stated)
            else:
                # Video before or after: two decoders, or an encoder, lie between.
                assert psnr_db(found, stated) >= LEAST_HARD_EDGES_DB, (index, key, psnr_db(found, stated))


def written_by_lerobot(root: Path) -> LeRobotDataset:
    """Long and big enough that LeRobot looks at some pictures and some pixels only."""
    joints = {"dtype": "float32", "shape": (6,), "names": [f"j{joint}" for joint in range(6)]}
    camera = {"dtype": "image", "shape": (240, 320, 3), "names": ["height", "width", "channels"]}
    features = {"observation.state": joints, "action": joints, "observation.images.front": camera}
    made = LeRobotDataset.create("local/big", fps=30, features=features, root=root, use_videos=False)
    random = np.random.default_rng(7)
    y, x = np.mgrid[0:240, 0:320]
    for length in (130, 75, 1):
        offset = random.uniform(0, 6, 6)
        for frame in range(length):
            state = (40 * np.sin(offset + frame / 17) + random.normal(0, 0.3, 6)).astype(np.float32)
            # Soft shapes and a little noise, as a camera gives them.
            rgb = np.stack([120 + 90 * np.sin(x / 37 + frame / 9), 110 + 80 * np.cos(y / 29), 60 + x / 3], axis=-1)
            rgb = np.clip(rgb + random.normal(0, 1.5, rgb.shape), 0, 255).astype(np.uint8)
            made.add_frame({"observation.state": state, "action": state + 1, "observation.images.front": rgb, "task": "Wave."})
        made.save_episode()
    made.finalize()
    return opened(root)


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> LeRobotDataset:
    return written_by_lerobot(tmp_path_factory.mktemp("big") / "set")


@pytest.mark.parametrize("storage", ["--images", "--video"])
def test_statistics_are_those_that_lerobot_computed(roarm, big: LeRobotDataset, tmp_path: Path, storage: str) -> None:
    roarm("export", big.root, "--out", tmp_path / "new", storage)
    theirs = json.loads((big.root / "meta/stats.json").read_text())
    ours = json.loads((tmp_path / "new/meta/stats.json").read_text())
    assert ours.keys() == theirs.keys()
    for feature, statistics in theirs.items():
        assert ours[feature].keys() == statistics.keys()
        for name, stated in statistics.items():
            found = np.array(ours[feature][name])
            assert found.shape == np.array(stated).shape
            np.testing.assert_allclose(found, stated, rtol=1e-5, atol=1e-5, err_msg=f"{feature} {name}")
    dataset = opened(tmp_path / "new")
    worst = min(psnr_db(picture(dataset[index], "observation.images.front"), picture(big[index], "observation.images.front"))
                for index in range(0, len(big), 13))
    print(f"{storage}: worst picture {worst:.1f} dB")
    assert worst >= (LEAST_DB if storage == "--video" else 90)


@pytest.mark.parametrize("storage", ["--images", "--video"])
def test_lerobot_trains_a_step(roarm, tmp_path: Path, storage: str) -> None:
    roarm("export", DATA / "lerobot_v21_video", "--out", tmp_path / "new", storage)
    train_a_step(tmp_path / "new", tmp_path)


def train_a_step(root: Path, tmp_path: Path) -> None:
    arguments = {
        "dataset.repo_id": "local/written", "dataset.root": root, "dataset.video_backend": "pyav",
        "policy.type": "act", "policy.device": "cpu", "policy.push_to_hub": "false", "policy.pretrained_backbone_weights": "null",
        "policy.chunk_size": 5, "policy.n_action_steps": 5, "policy.dim_model": 64, "policy.n_heads": 2, "policy.dim_feedforward": 64,
        "steps": 1, "batch_size": 2, "num_workers": 0, "wandb.enable": "false", "save_checkpoint": "false", "eval_freq": 0,
        "output_dir": tmp_path / "out",
    }  # fmt: skip
    command = [sys.executable, "-m", "lerobot.scripts.lerobot_train", *(f"--{key}={value}" for key, value in arguments.items())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "End of training" in done.stdout + done.stderr
