"""Fixtures: the programs under test, with MuJoCo as their physics. Run by `cargo xtask test-full` (part `mujoco`)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def physics(*options: str) -> str:
    """The command line that starts MuJoCo, for --physics."""
    return " ".join([sys.executable, "tests/mujoco/physics.py", *options])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--roarm", type=Path, required=True, help="the program `roarm` under test")
    parser.addoption("--demo-data", type=Path, required=True, help="the example `demo_data`, which runs the expert")


@pytest.fixture(scope="session")
def demo(pytestconfig: pytest.Config):
    """Runs `roarm demo OPTIONS… --json` with MuJoCo; the tally."""
    program = pytestconfig.getoption("--roarm").resolve()

    def run(*options: str, friction: float | None = None) -> dict:
        command = physics(*([] if friction is None else ["--friction", str(friction)]))
        arguments = [program, "demo", "--json", "--physics", command, *options]
        ended = subprocess.run(arguments, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(ended.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="session")
def expert(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory):
    """Runs the scripted expert on seeds FROM..TO in MuJoCo; how many boxes it lifted."""
    program = pytestconfig.getoption("--demo-data").resolve()

    def run(seeds: str) -> int:
        out = tmp_path_factory.mktemp("expert") / "data"
        arguments = [program, "--seeds", seeds, "--undisturbed", "--physics", physics(), "--out", out]
        ended = subprocess.run(arguments, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
        return int(ended.stdout.split()[0])

    return run
