"""Times SmolVLA chunks of LeRobot's own code on PyTorch, one for each line on standard input.

`roarm policy bench --against pytorch` carries this file and starts it: after the warm-up it prints one JSON line of facts, then `{"ms": …}`
for each line that it reads, until its input ends. A chunk is what `lerobot-record` does for one: preprocessor, `predict_action_chunk`,
postprocessor, from pictures in the host's memory to degrees there.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import sys
import time
from pathlib import Path


def tell(**values) -> None:
    print(json.dumps(values), file=ANSWERS, flush=True)


def refuse(error: str, fix: str) -> None:
    tell(error=error, fix=fix)
    sys.exit(3)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--vlm", type=Path)
    parser.add_argument("--weights-sha256")
    parser.add_argument("--task", default="Pick up the object.")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=["float32", "float16", "bfloat16"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--compile", action="store_true")
    return parser.parse_args()


def check_weights(checkpoint: Path, expected: str | None) -> None:
    path = checkpoint / "model.safetensors"
    if not path.is_file():
        refuse(f"{path} does not exist", "Name the checkpoint's `pretrained_model` folder with --checkpoint")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if expected and found != expected:
        refuse(
            f"{path} has the SHA-256 {found[:12]}…, the bundle was exported from {expected[:12]}…",
            "Name the checkpoint that the bundle was exported from: other weights would make the comparison unfair",
        )


def find_vlm(options: argparse.Namespace, config) -> str:
    """The folder that was named, else the config's name, taken from beside the checkpoint if it is there."""
    if options.vlm:
        return str(options.vlm.resolve())
    beside = options.checkpoint.resolve().parent / Path(config.vlm_model_name).name
    return str(beside) if beside.is_dir() else config.vlm_model_name


def load(options: argparse.Namespace):
    """Returns a function that computes a chunk, and the facts."""
    try:
        import lerobot
        import torch
        from lerobot.configs.policies import PreTrainedConfig
        from lerobot.policies.factory import make_pre_post_processors
        from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
        from transformers import AutoTokenizer
    except ImportError as error:
        refuse(
            f"{sys.executable} has no {error.name or error}",
            "Name a Python that has torch and lerobot 0.4.4 with --python (models/export/setup_environment.py makes one)",
        )
    if options.device != "cpu" and not torch.cuda.is_available():
        refuse(f"this PyTorch ({torch.__version__}) finds no CUDA device", "Install PyTorch with CUDA, or bench with --device cpu")
    torch.set_num_threads(options.threads)
    config = PreTrainedConfig.from_pretrained(options.checkpoint)
    vlm = find_vlm(options, config)
    config.vlm_model_name, config.load_vlm_weights, config.device = vlm, False, options.device
    config.rtc_config, config.compile_model = None, False
    dtype = getattr(torch, options.dtype)
    policy = SmolVLAPolicy.from_pretrained(options.checkpoint, config=config, strict=True).eval().to(options.device)
    # As LeRobot trains and evaluates with `use_amp`: weights stay, the products are computed in the narrower type.
    narrow = dtype != torch.float32
    for parameter in policy.parameters():
        parameter.requires_grad_(False)
    policy.float()
    if options.compile:
        policy.model.sample_actions = torch.compile(policy.model.sample_actions, mode="max-autotune")
    preprocessor, postprocessor = make_pre_post_processors(
        policy.config,
        pretrained_path=str(options.checkpoint),
        preprocessor_overrides={
            "device_processor": {"device": options.device},
            "rename_observations_processor": {"rename_map": {}},
            "tokenizer_processor": {"tokenizer": AutoTokenizer.from_pretrained(vlm), "padding": "max_length"},
        },
        postprocessor_overrides={"device_processor": {"device": "cpu"}},
    )
    generator = torch.Generator().manual_seed(0)
    pictures = {
        name: (torch.rand(feature.shape, generator=generator) * 255).round() / 255
        for name, feature in config.image_features.items()
        if not name.startswith("observation.images.empty_camera_")
    }
    state = torch.zeros(config.robot_state_feature.shape)

    def chunk():
        with torch.inference_mode(), torch.autocast(torch.device(options.device).type, dtype, enabled=narrow):
            batch = preprocessor({**pictures, "observation.state": state, "task": options.task})
            actions = postprocessor(policy.predict_action_chunk(batch))
        # The postprocessor brings them to the host, which waits for the device.
        return actions.numpy()

    facts = {
        "mode": "torch.compile" if options.compile else "eager",
        "torch": torch.__version__,
        "lerobot": getattr(lerobot, "__version__", "?"),
        "device": options.device,
        "dtype": f"{options.dtype} (autocast)" if narrow else options.dtype,
        "threads": torch.get_num_threads(),
        "parameters": sum(parameter.numel() for parameter in policy.parameters()),
    }
    return chunk, facts


def main() -> None:
    options = arguments()
    check_weights(options.checkpoint, options.weights_sha256)
    chunk, facts = load(options)
    for _ in range(max(options.warm_up, 1)):
        chunk()
    tell(**facts)
    for _line in sys.stdin:
        start = time.perf_counter()
        chunk()
        tell(ms=(time.perf_counter() - start) * 1e3)


if __name__ == "__main__":
    # Libraries print to standard output; answers go to a copy of it, everything else to standard error.
    ANSWERS = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with contextlib.redirect_stdout(sys.stderr):
        main()
