"""The demonstrations as arrays: from the LeRobot dataset that `demo_data` wrote, and its marks."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .network import HORIZON, JOINTS, MARKED, PICTURE_HEIGHT, PICTURE_WIDTH
from .words import INSTRUCTIONS

CAMERA = "observation.images.front"
# Kept from zero where a joint hardly moves, degrees.
LEAST_STD = 1e-3


@dataclass(frozen=True)
class Batch:
    """Observations and what followed them."""

    picture: Tensor  # (B, 3, 96, 128) 8 bit
    state: Tensor  # (B, 6) z-scores
    task: Tensor  # (B) place in INSTRUCTIONS
    chunk: Tensor  # (B, 50, 6) z-scores
    valid: Tensor  # (B, 50) 1 where the chunk's action was demonstrated
    marks_px: Tensor  # (B, 4, 2)


class Demonstrations:
    """All frames in memory."""

    def __init__(self, pictures: np.ndarray, states: np.ndarray, actions: np.ndarray, tasks: np.ndarray, marks: np.ndarray, stretches: np.ndarray, complete: np.ndarray) -> None:
        """`stretches` (N) numbers what was demonstrated without a break; `complete` (N) is whether its stretch ends with the box
        lifted: then its last action goes on for ever."""
        self.state_statistics = statistics(states)
        self.action_statistics = statistics(actions)
        self.pictures = torch.from_numpy(pictures)
        self.states = normalised(states, self.state_statistics)
        self.actions = normalised(actions, self.action_statistics)
        self.tasks, self.marks = torch.from_numpy(tasks), torch.from_numpy(marks)
        count = len(states)
        last = np.zeros(count, np.int64)
        for index in range(count - 1, -1, -1):
            last[index] = last[index + 1] if index + 1 < count and stretches[index] == stretches[index + 1] else index
        self.last, self.complete = torch.from_numpy(last), torch.from_numpy(complete)

    def __len__(self) -> int:
        return len(self.states)

    def batch(self, chosen: Tensor) -> Batch:
        ahead = chosen[:, None] + torch.arange(HORIZON)
        last = self.last[chosen][:, None]
        return Batch(
            picture=self.pictures[chosen].permute(0, 3, 1, 2),
            state=self.states[chosen],
            task=self.tasks[chosen],
            chunk=self.actions[torch.minimum(ahead, last)],
            valid=((ahead <= last) | self.complete[chosen][:, None]).float(),
            marks_px=self.marks[chosen],
        )


def statistics(values: np.ndarray) -> dict[str, np.ndarray]:
    wide = values.astype(np.float64)
    found = {"mean": wide.mean(0), "std": wide.std(0) + LEAST_STD, "min": wide.min(0), "max": wide.max(0)}
    return {name: array.astype(np.float32) for name, array in found.items()}


def normalised(values: np.ndarray, known: dict[str, np.ndarray]) -> Tensor:
    return torch.from_numpy(((values - known["mean"]) / known["std"]).astype(np.float32))


def read(folder: Path) -> Demonstrations:
    """Reads a dataset and the `marks.jsonl` beside its `meta`."""
    import pyarrow.parquet as parquet
    from PIL import Image

    tables = [parquet.read_table(file) for file in sorted((folder / "data").rglob("*.parquet"))]
    lines = [json.loads(line) for line in (folder / "marks.jsonl").read_text().splitlines()]
    count = sum(table.num_rows for table in tables)
    pictures = np.empty((count, PICTURE_HEIGHT, PICTURE_WIDTH, 3), np.uint8)
    states, actions = (np.empty((count, JOINTS), np.float32) for _ in range(2))
    episodes = np.empty(count, np.int64)
    at = 0
    for table in tables:
        rows = slice(at, at + table.num_rows)
        states[rows] = np.array(table["observation.state"].to_pylist(), np.float32)
        actions[rows] = np.array(table["action"].to_pylist(), np.float32)
        episodes[rows] = table["episode_index"].to_numpy()
        for row, cell in enumerate(table[CAMERA].to_pylist(), at):
            pictures[row] = np.asarray(Image.open(io.BytesIO(cell["bytes"])).convert("RGB"))
        at = rows.stop
    marks = np.concatenate([np.array(line["marks_px"], np.float32) for line in lines]).reshape(-1, MARKED, 2)
    tasks = np.array([INSTRUCTIONS.index(lines[episode]["task"]) for episode in episodes])
    complete = np.array([lines[episode]["complete"] for episode in episodes])
    return Demonstrations(pictures, states, actions, tasks, marks, episodes, complete)
