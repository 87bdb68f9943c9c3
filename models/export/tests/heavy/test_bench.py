"""models/bench on the processor with the tiny policy: the way that a GPU machine goes, from the seed to the comparison."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from locations import REPOSITORY

BENCH = REPOSITORY / "models" / "bench" / "run.py"


def program() -> Path:
    """The newest program that cargo has built; `cargo xtask test-full` builds one before."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    built = [target / profile / "roarm" for profile in ("release", "debug")]
    found = [path for path in built if path.is_file()]
    assert found, f"no roarm in {target}: cargo build"
    return max(found, key=lambda path: path.stat().st_mtime)


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> list[dict]:
    work = tmp_path_factory.mktemp("bench")
    command = [sys.executable, BENCH, "--device", "cpu", "--tiny", "--modes", "pytorch", "--chunks", "5", "--warm-up", "1"]
    command += ["--threads", "1", "--work", work, "--roarm", program(), "--bandwidth", "20"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_ours_and_pytorch_run_in_turns_on_the_same_weights(results):
    (result,) = results
    (ours,), (pytorch,) = result["contenders"], result["pytorch"]
    assert result["cameras"] == 2 and result["dtype"] == "float32"
    assert pytorch["mode"] == "eager" and pytorch["threads"] == ours["threads"] == 1
    assert 0 < ours["stages_ms"]["total"]["p50"] and 0 < pytorch["total_ms"]["p50"]
    assert result["of_pytorch"]["eager"] == ours["stages_ms"]["total"]["p50"] / pytorch["total_ms"]["p50"]


def test_the_roofline_is_the_weights_over_the_bandwidth(results):
    weights = results[0]["weights"]
    graphs = weights["graphs"]
    assert weights["bytes_per_chunk"] == 2 * graphs["vision"] + graphs["prefix"] + 10 * graphs["denoise"]
    assert results[0]["least_ms"] == pytest.approx(weights["bytes_per_chunk"] / 20e9 * 1e3)


def test_a_python_without_lerobot_is_told_what_to_do(tmp_path):
    done = subprocess.run([sys.executable, "-I", "-S", str(BENCH), "--device", "cpu", "--tiny"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode != 0 and "setup_environment.py" in done.stderr
