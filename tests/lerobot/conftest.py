"""LeRobot 0.4.4 judges what `roarm dataset` writes. Runs in the exporter's environment: `cargo xtask test-full --only datasets`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"

import pytest

DATA = Path(__file__).resolve().parents[1] / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--roarm", type=Path, required=True, help="the program that writes the datasets")


@pytest.fixture(scope="session")
def roarm(pytestconfig: pytest.Config):
    program = pytestconfig.getoption("--roarm").resolve()

    def run(*arguments: str | Path) -> None:
        subprocess.run([program, "dataset", *map(str, arguments)], check=True, capture_output=True)

    return run


@pytest.fixture(scope="session", autouse=True)
def caches(tmp_path_factory: pytest.TempPathFactory):
    """LeRobot caches rows by path and would show an older dataset of the same name."""
    import datasets

    datasets.config.HF_DATASETS_CACHE = tmp_path_factory.mktemp("cache")
