"""`python -m roarm_export CHECKPOINT --out BUNDLE`"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from pathlib import Path

from . import __version__
from .convert import convert, is_bundle
from .errors import ExportError
from .export import DEFAULT_TASK, Request, export
from .position_ids import AUTO, CANONICAL, SHIFTED
from .precision import CHOICES


def number(text: str) -> int | float:
    value = float(text)
    if not 0 < value < 1000:
        raise argparse.ArgumentTypeError(f"{text} is not a frame rate")
    return int(value) if value.is_integer() else value


def arguments(argv: list[str] | None) -> Request:
    parser = argparse.ArgumentParser(
        prog="python -m roarm_export",
        description="Turn a LeRobot SmolVLA checkpoint into a policy bundle for roarm, "
        "and prove that the bundle computes what PyTorch computes.",
    )
    parser.add_argument(
        "checkpoint",
        type=Path,
        metavar="CHECKPOINT",
        help="the checkpoint's `pretrained_model` folder; or a float32 bundle, to convert it with --dtype and without PyTorch",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="BUNDLE", help="folder to write; an older bundle in it is replaced")
    parser.add_argument(
        "--dtype",
        choices=tuple(CHOICES),
        default="fp32",
        help="what the graphs compute in. fp32 (default); fp16: half the size, for GPUs; int8: a third of the size, for processors "
        "(dynamic quantisation). Inputs and outputs stay float32",
    )
    parser.add_argument(
        "--vision-ids",
        choices=(AUTO, CANONICAL, SHIFTED),
        default=AUTO,
        help="position ids of the vision encoder in training. auto (default): the golden file's; without one, those that "
        "the installed transformers looks up in the dtype of training, which is right in the environment that trained the policy",
    )
    parser.add_argument("--tokenizer", type=Path, metavar="DIR_OR_FILE", help="tokenizer.json or its folder (default: the VLM's)")
    parser.add_argument(
        "--vlm",
        type=Path,
        metavar="DIR",
        help="folder with the VLM's config and processor files (default: beside the checkpoint, then the Hugging Face cache, then the hub)",
    )
    parser.add_argument(
        "--golden",
        type=Path,
        metavar="NPZ",
        help="an end-to-end case computed by LeRobot earlier, to become parity.safetensors; needs --task",
    )
    parser.add_argument("--task", metavar="TEXT", help=f"the task of the parity case (default: {DEFAULT_TASK!r})")
    parser.add_argument("--dataset", type=Path, metavar="DIR", help="the training dataset: tells fps and joint names")
    parser.add_argument("--fps", type=number, metavar="N", help="rate of the training dataset, if --dataset is not at hand")
    parser.add_argument("--version", action="version", version=f"roarm_export {__version__}")
    return Request(**vars(parser.parse_args(argv)))


def run(request: Request) -> dict[str, float]:
    def report(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    if not is_bundle(request.checkpoint):
        return export(request, report)
    if request != Request(request.checkpoint, request.out, dtype=request.dtype):
        raise ExportError("a bundle takes no option but --out and --dtype", "leave the others out, or pass the checkpoint")
    return convert(request.checkpoint, request.out, request.dtype, report)


def main(argv: list[str] | None = None) -> int:
    request = arguments(argv)
    # A tokenizer that forks would warn; transformers and LeRobot warn about features that this program does not use.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    warnings.filterwarnings("ignore")
    try:
        differences = run(request)
    except ExportError as error:
        print(f"roarm_export: {error}", file=sys.stderr)
        return 1
    for name, value in differences.items():
        print(f"{name:12} max |onnx - pytorch| = {value:.2e}")
    print(f"wrote {request.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
