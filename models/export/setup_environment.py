#!/usr/bin/env python3
"""Builds a virtual environment that can export: PyTorch, LeRobot and the ONNX tools, every version pinned.

    python3.11 setup_environment.py                      # the usual PyTorch wheels; on x86-64 Linux with CUDA, about 6 GB
    python3.11 setup_environment.py --torch cpu-stubs    # x86-64 Linux without a GPU: 3 GB less, see environment/cuda_stubs.py

Choose `cpu-stubs` on x86-64 Linux machines without a GPU, such as CI runners. Elsewhere (a GPU machine, aarch64, macOS) the usual
wheels are right; on aarch64 and macOS they hold no CUDA anyway. A second run does nothing unless the pins or the choice changed.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / "environment"
WHEELS, CPU_STUBS = "wheels", "cpu-stubs"
OLDEST, NEWEST = (3, 11), (3, 13)


def fail(cause: str, fix: str) -> None:
    sys.exit(f"setup_environment: {cause}\n  fix: {fix}")


def check_machine(torch: str) -> None:
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        fail(f"this is Python {platform.python_version()}; the pinned packages have wheels for 3.11 to 3.13", "run it with python3.11")
    if torch != CPU_STUBS:
        return
    if sys.platform != "linux" or platform.machine() != "x86_64":
        fail(
            f"{CPU_STUBS} is for x86-64 Linux; this is {sys.platform} on {platform.machine()}",
            f"use --torch {WHEELS}: its PyTorch has no CUDA here",
        )
    for tool, package in (("gcc", "gcc"), ("readelf", "binutils")):
        if shutil.which(tool) is None:
            fail(f"{tool} is missing, which {CPU_STUBS} needs", f"apt install {package}, or use --torch {WHEELS}")


def fingerprint(torch: str) -> str:
    """Changes when a finished environment would no longer be what this script builds."""
    digest = hashlib.sha256(f"{torch} {sys.version_info[:2]}".encode())
    for file in sorted([*ENVIRONMENT.glob("*.txt"), *ENVIRONMENT.glob("*.py"), HERE / "pyproject.toml"]):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def build(folder: Path, torch: str) -> None:
    venv.create(folder, with_pip=True, clear=True)
    python = folder / "bin" / "python"

    def pip(*arguments: str | Path) -> None:
        subprocess.run([python, "-m", "pip", "install", "--disable-pip-version-check", *arguments], check=True)

    pip("-r", ENVIRONMENT / "requirements.txt")
    if torch == CPU_STUBS:
        pip("--no-deps", "-r", ENVIRONMENT / "requirements-torch.txt", "-r", ENVIRONMENT / "requirements-cuda-runtime.txt")
        subprocess.run([python, ENVIRONMENT / "cuda_stubs.py"], check=True)
    else:
        pip("-r", ENVIRONMENT / "requirements-torch.txt")
    pip("--no-deps", "-r", ENVIRONMENT / "requirements-no-deps.txt")
    # Not from the index: the exporter itself. Its requirements are installed already.
    pip("--no-deps", "--no-build-isolation", "--editable", HERE)
    subprocess.run([python, "-c", "import torch, lerobot, onnxscript, roarm_export; print('torch', torch.__version__)"], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--venv", type=Path, default=HERE / ".venv", help="folder to build (default: .venv beside this script); replaced if it is stale"
    )
    parser.add_argument("--torch", choices=(WHEELS, CPU_STUBS), default=WHEELS, help="which PyTorch, see above (default: %(default)s)")
    options = parser.parse_args()
    check_machine(options.torch)
    stamp = options.venv / "roarm-export.sha256"
    wanted = fingerprint(options.torch)
    if stamp.is_file() and stamp.read_text() == wanted:
        print(f"setup_environment: {options.venv} is up to date")
        return
    if options.venv.exists() and not (options.venv / "pyvenv.cfg").is_file():
        fail(f"{options.venv} exists and is not a virtual environment", "name another folder with --venv")
    try:
        build(options.venv, options.torch)
    except subprocess.CalledProcessError as error:
        fail(
            f"a step failed: {' '.join(map(str, error.cmd))}",
            "see its output above; installing needs a connection to a Python package index",
        )
    stamp.write_text(wanted)
    print(f"setup_environment: done; run {options.venv / 'bin' / 'python'} -m roarm_export --help")


if __name__ == "__main__":
    main()
