"""Normalisation statistics, from the state files that the processor JSON names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from safetensors.numpy import load_file

from .checkpoint import ACTION, MIGRATION, NORMALIZER_STEP, STATE, UNNORMALIZER_STEP, Checkpoint, ProcessorStep
from .errors import ExportError

STATISTICS = ("mean", "std", "min", "max")
SUPPORTED_MODE = "MEAN_STD"


@dataclass(frozen=True)
class Normalization:
    """`tensors`: `observation.state.{mean,std,min,max}` and `action.{...}`, float32 (dim,), in dataset units.

    LeRobot normalises with `(x - mean) / (std + eps)` and goes back with `x * std + mean`, without eps.
    """

    tensors: dict[str, np.ndarray]
    eps: float


def read_normalization(checkpoint: Checkpoint) -> Normalization:
    """Reads the statistics and refuses what LeRobot would silently pass over: missing, not finite or inert ones."""
    pre, post = required_step(checkpoint, NORMALIZER_STEP), required_step(checkpoint, UNNORMALIZER_STEP)
    for step in (pre, post):
        check_modes(step)
    before, after = load_file(pre.state_file), load_file(post.state_file)
    tensors = {}
    for feature, dim, source in ((STATE, checkpoint.state_dim, before), (ACTION, checkpoint.action_dim, after)):
        for statistic in STATISTICS:
            name = f"{feature}.{statistic}"
            tensors[name] = checked(source.get(name), name, dim)
    check_agreement(before, after)
    eps = float(pre.config.get("eps", 1e-8))
    return Normalization(tensors, eps)


def required_step(checkpoint: Checkpoint, name: str) -> ProcessorStep:
    step = checkpoint.step(name)
    if step is None or step.state_file is None:
        raise ExportError(f"the checkpoint has no {name} with statistics: it would run on raw numbers", MIGRATION)
    return step


def check_modes(step: ProcessorStep) -> None:
    # The step's own map rules, not config.json's and not the class default.
    modes = step.config.get("norm_map") or {}
    for kind in ("STATE", "ACTION"):
        if modes.get(kind) != SUPPORTED_MODE:
            raise ExportError(
                f"{step.name}: the normalization mode of {kind} is {modes.get(kind)!r}; this exporter supports {SUPPORTED_MODE!r} only",
                f"train with normalization_mapping {kind}: {SUPPORTED_MODE} (SmolVLA's default)",
            )
    if modes.get("VISUAL", "IDENTITY") != "IDENTITY":
        raise ExportError(
            f"{step.name}: the normalization mode of VISUAL is {modes['VISUAL']!r}; this exporter supports 'IDENTITY' only",
            "train with normalization_mapping VISUAL: IDENTITY (SmolVLA's default)",
        )


def checked(tensor: np.ndarray | None, name: str, dim: int) -> np.ndarray:
    fix = "compute the dataset's statistics again and save the processors with them"
    if tensor is None:
        raise ExportError(f"statistics: {name} is missing: LeRobot would leave this feature unnormalised without a word", fix)
    if tensor.shape != (dim,):
        raise ExportError(f"statistics: {name} has the shape {tensor.shape}, expected ({dim},)", fix)
    if not np.isfinite(tensor).all():
        raise ExportError(f"statistics: {name} is not finite: {tensor.tolist()}", fix)
    if name.endswith(".std") and not (tensor > 0).all():
        still = np.flatnonzero(tensor <= 0).tolist()
        raise ExportError(
            f"statistics: {name} is zero or negative in dimension {still}: "
            "these joints never moved in the data, so their normalisation is inert",
            "record data in which every joint moves, or drop the dimension from the dataset",
        )
    return np.ascontiguousarray(tensor, dtype=np.float32)


def check_agreement(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> None:
    for statistic in ("mean", "std"):
        name = f"{ACTION}.{statistic}"
        if name in before and not np.array_equal(before[name], after[name]):
            raise ExportError(
                f"statistics: {name} differs between preprocessor and postprocessor: they come from different datasets",
                "take both processor files from the same training run",
            )
