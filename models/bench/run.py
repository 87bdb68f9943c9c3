#!/usr/bin/env python3
"""Measures a SmolVLA chunk on this machine in one command: roarm's engine against LeRobot's PyTorch, in turns, on the same weights.

    python3 models/export/setup_environment.py                                  # once
    models/export/.venv/bin/python models/bench/run.py --device cuda            # full size, 2 cameras, float32 and float16
    models/export/.venv/bin/python models/bench/run.py --device cpu --tiny      # a minute, proves that everything is in place

Weights are random from a seed and made here by LeRobot's own code, the graphs by the exporter (models/export); nothing is downloaded. A
finished bundle is used again. Ours runs with I/O binding, on a GPU with CUDA graphs too; PyTorch runs eager and under torch.compile. The last
line of standard output is one JSON object with every number.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]

# Memory bandwidth from NVIDIA's data sheets, GB/s.
BANDWIDTH_GB_S = {
    "H200": 4800, "H100 NVL": 3900, "H100 PCIe": 2000, "H100": 3350, "A100": 1555, "L40S": 864, "A10G": 600,
    "RTX 5090": 1792, "RTX 4090 Laptop": 576, "RTX 4090": 1008, "RTX 4070": 504, "RTX 3090": 936, "RTX 3060": 360, "Orin Nano": 68,
}  # fmt: skip


def fail(cause: str, fix: str) -> None:
    sys.exit(f"models/bench: {cause}\n  fix: {fix}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", help="cpu, cuda, cuda:N, tensorrt or tensorrt:N")
    parser.add_argument("--tiny", action="store_true", help="a policy of a megabyte in place of 450 million parameters")
    parser.add_argument("--cameras", type=int, default=2, choices=[1, 2, 3])
    parser.add_argument("--dtypes", nargs="+", default=None, help="types to export [default: float32, on a GPU fp16 too]")
    parser.add_argument("--modes", nargs="+", default=["pytorch", "pytorch-compile"], choices=["pytorch", "pytorch-compile"])
    parser.add_argument("--chunks", type=int, default=50)
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--bandwidth", type=float, help="the memory's bandwidth, GB/s [default: the GPU's, from its name]")
    parser.add_argument("--work", type=Path, default=REPOSITORY / ".cache" / "bench", help="where weights and bundles are kept")
    parser.add_argument("--roarm", type=Path, default=REPOSITORY / "target" / "release" / "roarm", help="the program")
    parser.add_argument("--onnxruntime", type=Path, help="ONNX Runtime library, with CUDA that of the onnxruntime-gpu wheel")
    return parser.parse_args()


def check(options: argparse.Namespace) -> None:
    for module in ("torch", "lerobot", "roarm_export"):
        if importlib.util.find_spec(module) is None:
            fail(f"{sys.executable} has no {module}", "run it with the Python that models/export/setup_environment.py makes")
    if not options.roarm.is_file():
        fail(f"{options.roarm} does not exist", "cargo build --release, or name the program with --roarm")


def bandwidth(options: argparse.Namespace) -> float | None:
    if options.bandwidth or options.device == "cpu":
        return options.bandwidth
    import torch

    name = torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""
    return next((float(value) for card, value in BANDWIDTH_GB_S.items() if card in name), None)


def exported(checkpoint: Path, vlm: Path, bundle: Path, dtype: str) -> Path:
    """Exports once; a bundle that the exporter finished is whole."""
    if not (bundle / "SHA256SUMS").is_file():
        command = [sys.executable, "-m", "roarm_export", checkpoint, "--out", bundle, "--vlm", vlm, "--fps", "30"]
        if dtype != "float32":
            command += ["--dtype", dtype]
        subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr)
    return bundle


def bench(options: argparse.Namespace, bundle: Path, checkpoint: Path, vlm: Path, dtype: str) -> dict:
    command = [options.roarm, "policy", "bench", bundle, "--device", options.device, "--json"]
    command += ["--chunks", options.chunks, "--warm-up", options.warm_up, "--checkpoint", checkpoint, "--vlm", vlm]
    command += ["--against", ",".join(options.modes), "--python", sys.executable]
    command += ["--pytorch-dtype", "float16" if dtype == "fp16" else "float32"]
    if options.device != "cpu":
        command += ["--cuda-graph", "--tensorrt-cache", options.work / "tensorrt"]
    if options.threads:
        command += ["--threads", options.threads]
    if options.onnxruntime:
        command += ["--onnxruntime", options.onnxruntime]
    if (found := bandwidth(options)) is not None:
        command += ["--bandwidth", found]
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(done.returncode)
    return json.loads(done.stdout.splitlines()[-1])


def ratios(report: dict) -> dict[str, float]:
    """Our median over PyTorch's, by mode."""
    ours = report["contenders"][0]["stages_ms"]["total"]["p50"]
    return {reference["mode"]: ours / reference["total_ms"]["p50"] for reference in report["pytorch"]}


def main() -> None:
    options = arguments()
    check(options)
    from checkpoint import make_checkpoint

    size = "tiny" if options.tiny else "full"
    folder = options.work / f"{size}-{options.cameras}-cameras"
    checkpoint, vlm = make_checkpoint(folder, tiny=options.tiny, cameras=options.cameras)
    dtypes = options.dtypes or (["float32"] if options.device == "cpu" else ["float32", "fp16"])
    results = []
    for dtype in dtypes:
        bundle = exported(checkpoint, vlm, folder / f"bundle-{dtype}", dtype)
        report = bench(options, bundle, checkpoint, vlm, dtype)
        results.append(report | {"dtype": dtype, "size": size, "of_pytorch": ratios(report)})
        for mode, ratio in results[-1]["of_pytorch"].items():
            print(f"{dtype}: {ratio:.3f} of PyTorch {mode}, {1 / ratio:.1f} times as fast", file=sys.stderr)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
