"""The parity fixture: what PyTorch computed for one observation, and the check of the graphs against it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .checkpoint import Checkpoint
from .errors import ExportError
from .graph_runner import run_graphs
from .real_time_chunking import Guidance

# Largest absolute difference between two runs of LeRobot; `chunk` is in dataset units (degrees).
GOLDEN_LIMITS = {"state_norm": 1e-5, "pixels": 1e-5, "chunk_norm": 1e-4, "chunk": 5e-3}

GOLDEN_KEYS = ("image", "state", "lang_tokens", "lang_mask", "state_norm", "pixels", "noise", "chunk_norm", "chunk")
# Golden key -> fixture key of the values between the graphs. The plain `k_cache` of a golden file is LeRobot's own cache; the
# bundle's graphs hand over the one with the cross-attention projections applied, `k_cache_h`.
GOLDEN_INTERMEDIATES = {"img_emb": "img_emb", "k_cache_h": "k_cache", "v_cache_h": "v_cache", "v_t_first": "v_t_first"}

SEED = 20260101


def read_golden(path: Path, checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    """Reads `--golden`, an npz of one end-to-end case that LeRobot computed. Raises `ExportError` if it does not fit."""
    if len(checkpoint.slots) != 1:
        raise ExportError(
            f"a golden file holds one camera, the policy has {len(checkpoint.slots)}",
            "leave --golden out: the exporter then makes its own case",
        )
    try:
        with np.load(path) as file:
            golden = dict(file)
    except (OSError, ValueError) as error:
        raise ExportError(f"cannot read the golden file: {error}", "pass --golden with an .npz file") from None
    missing = [key for key in GOLDEN_KEYS if key not in golden]
    if missing:
        raise ExportError(f"{path.name} lacks {', '.join(missing)}", "make the golden file again with these arrays, or leave --golden out")
    return golden


def convert_golden(golden: dict[str, np.ndarray], slot: str, padded_dim: int) -> dict[str, np.ndarray]:
    """The fixture's names and shapes for the golden arrays; no value changes."""
    state_norm = np.zeros(padded_dim, np.float32)
    state_norm[: golden["state_norm"].size] = golden["state_norm"].reshape(-1)
    fixture = {
        f"image.{slot}": golden["image"],
        "state": golden["state"],
        "lang_tokens": golden["lang_tokens"].reshape(-1),
        "lang_mask": golden["lang_mask"].reshape(-1).astype(np.uint8),
        "state_norm": state_norm,
        f"pixels.{slot}": golden["pixels"],
        "noise": golden["noise"],
        "chunk_norm": golden["chunk_norm"],
        "chunk": golden["chunk"],
    }
    fixture |= {name: golden[key] for key, name in GOLDEN_INTERMEDIATES.items() if key in golden}
    return {name: np.ascontiguousarray(array) for name, array in fixture.items()}


def seeded_case(checkpoint: Checkpoint, mean: np.ndarray, std: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """(images, state, noise) that depend on nothing but the shapes: 8-bit pictures of gradients under grain, a state within one
    standard deviation of the mean, and Gaussian noise."""
    generator = np.random.default_rng(SEED)
    images = {}
    for slot in checkpoint.slots:
        rows, columns = np.linspace(0, 1, slot.height)[:, None], np.linspace(0, 1, slot.width)[None, :]
        picture = np.stack([rows + 0 * columns, columns + 0 * rows, (rows + columns) / 2])
        picture = 0.75 * picture + 0.25 * generator.random(picture.shape)
        images[slot.name] = np.round(picture * 255).astype(np.uint8).astype(np.float32) / np.float32(255)
    state = (mean + std * generator.uniform(-1, 1, mean.shape)).astype(np.float32)
    shape = (1, checkpoint.config["chunk_size"], checkpoint.config.get("max_action_dim", 32))
    return images, state, generator.standard_normal(shape).astype(np.float32)


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest absolute difference; infinity where the shapes differ or a value is not finite."""
    if ours.shape != theirs.shape or not np.isfinite(ours).all():
        return float("inf")
    return float(np.abs(ours.astype(np.float64) - theirs.astype(np.float64)).max())


def check_golden(golden: dict[str, np.ndarray], lerobot: dict[str, np.ndarray]) -> None:
    """Refuses a golden file that LeRobot, run here on its observation, does not confirm."""
    for name in ("lang_tokens", "lang_mask"):
        if not np.array_equal(golden[name], lerobot[name]):
            raise ExportError(
                f"the golden file's {name} are not those of this tokenizer and task",
                "pass the --task and --tokenizer that made the golden file",
            )
    for name, array in golden.items():
        limit = GOLDEN_LIMITS.get(name.split(".")[0])
        if limit is None or name.startswith("image"):
            continue
        if not (found := difference(array, lerobot[name])) <= limit:
            raise ExportError(
                f"the golden file's {name} differs from LeRobot's answer here by {found:.1e} (limit {limit:.0e})",
                "pass a golden file that this checkpoint made, with the same --vision-ids",
            )


def check_graphs(
    bundle: Path, policy: dict, fixture: dict[str, np.ndarray], guided: tuple[Guidance, ...], limits: dict[str, float]
) -> dict[str, float]:
    """Runs the finished graphs in ONNX Runtime on the fixture. Returns the largest difference to PyTorch by name.

    Raises `ExportError` if the normalised chunk, guided or not, is beyond the limits of parity.json."""
    computed = run_graphs(bundle, policy, fixture, guided)
    found = {name: difference(array, fixture[name]) for name, array in computed.items()}
    chunks = [name for name in found if name.endswith("chunk_norm")]
    limit, worst = limits["chunk_norm"], max(found[name] for name in chunks)
    mean_limit = limits.get("chunk_norm_mean", limit)
    mean = max(float(np.abs(computed[name] - fixture[name]).mean()) for name in chunks)
    if not (worst <= limit and mean <= mean_limit):
        raise ExportError(
            f"the exported graphs differ from PyTorch by {worst:.1e} (limit {limit:.0e}), {mean:.1e} in the mean (limit {mean_limit:.0e}); by stage: "
            + ", ".join(f"{name} {value:.1e}" for name, value in found.items()),
            "nothing was written; with --dtype fp32, report this with the versions that `pip freeze` prints; the others need a policy that bears them",
        )
    return found
