"""What only the dataset knows: the rate of recording and the names of the joints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .checkpoint import ACTION, STATE, Checkpoint, read_json
from .errors import ExportError

# RoArm-M3's joints in the order in which LeRobot datasets of this arm hold them.
ROARM_NAMES = ("base.pos", "shoulder.pos", "elbow.pos", "wrist.pos", "roll.pos", "gripper.pos")


@dataclass(frozen=True)
class DatasetFacts:
    """`fps` is None where nobody said it; the runtime then asks for it."""

    fps: int | float | None
    state_names: tuple[str, ...]
    action_names: tuple[str, ...]


def read_dataset_facts(checkpoint: Checkpoint, dataset: Path | None, fps: int | float | None) -> DatasetFacts:
    """Facts from `--dataset DIR` (its `meta/info.json`), with `--fps` above it. Without a dataset, six joints are RoArm-M3's."""
    info = read_json(dataset / "meta" / "info.json", "pass --dataset with the folder of a LeRobot dataset") if dataset else {}
    recorded = info.get("fps")
    if fps is not None and recorded is not None and fps != recorded:
        raise ExportError(f"--fps {fps} contradicts the dataset, which was recorded at {recorded}", "leave --fps out")
    features = info.get("features", {})
    names = []
    for feature, dim in ((STATE, checkpoint.state_dim), (ACTION, checkpoint.action_dim)):
        names.append(joint_names(features.get(feature, {}).get("names"), feature, dim))
    return DatasetFacts(fps if fps is not None else recorded, *names)


def joint_names(names: list | dict | None, feature: str, dim: int) -> tuple[str, ...]:
    # Older datasets nest the list: {"motors": [...]} or {"axes": [...]}.
    if isinstance(names, dict) and len(names) == 1:
        names = next(iter(names.values()))
    if names is None and dim == len(ROARM_NAMES):
        return ROARM_NAMES
    if not isinstance(names, list) or len(names) != dim or not all(isinstance(name, str) for name in names):
        raise ExportError(
            f"the names of the {dim} dimensions of {feature} are unknown (found {names!r})",
            "pass --dataset with the folder of the training dataset",
        )
    return tuple(names)
