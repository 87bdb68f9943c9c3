"""Run logs that `roarm dataset export` made datasets of, opened and trained on by LeRobot itself."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from test_written_datasets import LEAST_DB, opened, picture, psnr_db, train_a_step

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def log(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of the emulated arm with its camera, all pictures recorded. The machine has to draw them in time."""
    path = tmp_path_factory.mktemp("log") / "run.mcap"
    program = pytestconfig.getoption("--roarm").resolve()
    arguments = ["demo", "--duration", "3", "--log-frames", "all", "--log", str(path)]
    done = subprocess.run([program, *arguments], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert path.exists(), done.stderr
    return path


@pytest.fixture(scope="module")
def datasets(pytestconfig: pytest.Config, log: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The log as images and as video. A busy machine may have labelled the run as too rough: then it is in the other folder."""
    program, made = pytestconfig.getoption("--roarm").resolve(), {}
    for storage in ("--images", "--video"):
        folder = tmp_path_factory.mktemp("set")
        arguments = ["dataset", "export", str(log), "--out", str(folder / "good"), "--failed", str(folder / "failed"), storage]
        subprocess.run([program, *arguments], check=True, capture_output=True)
        made[storage] = folder / ("good" if (folder / "good").exists() else "failed")
    return made


def test_lerobot_reads_the_same_from_images_and_video(datasets: dict[str, Path]) -> None:
    images, video = opened(datasets["--images"]), opened(datasets["--video"])
    assert len(images) == len(video) > 60
    assert images.meta.camera_keys == video.meta.camera_keys != []
    worst = 100.0
    for index in range(len(images)):
        one, other = images[index], video[index]
        for key in ("observation.state", "action", "timestamp", "index", "task_index"):
            assert one[key].numpy().tobytes() == other[key].numpy().tobytes(), (index, key)
        assert one["task"] == other["task"] != ""
        for key in images.meta.camera_keys:
            assert picture(one, key).shape == (3, 480, 480)
            worst = min(worst, psnr_db(picture(one, key), picture(other, key)))
    print(f"worst picture {worst:.1f} dB")
    assert worst >= LEAST_DB
    actions = np.stack([images[index]["action"].numpy() for index in range(len(images))])
    assert np.isfinite(actions).all() and actions.std(axis=0).max() > 0.1, "the arm moved"


@pytest.mark.parametrize("storage", ["--images", "--video"])
def test_lerobot_trains_a_step(datasets: dict[str, Path], tmp_path: Path, storage: str) -> None:
    train_a_step(datasets[storage], tmp_path)
