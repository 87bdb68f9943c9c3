"""Writes what LeRobot's own real-time chunking computes: the source of `tests/data/real_time_chunking/`.

    python models/export/tests/real_time_chunking.py FOLDER    # writes FOLDER/*.npz

Three files, from the elementwise formulas to whole chunks of the tiny policy; `tests/data/README.md` lists their arrays. Seeded: a second
run gives the same numbers up to the processor's order of additions.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import numpy as np
import torch
from lerobot.configs.types import RTCAttentionSchedule
from lerobot.policies.rtc.configuration_rtc import RTCConfig
from lerobot.policies.rtc.modeling_rtc import RTCProcessor

from locations import CHECKPOINT, GOLDEN, TASK
from roarm_export.checkpoint import read_checkpoint
from roarm_export.language import locate_vlm, read_language
from roarm_export.lerobot_policy import Observation, load_policy, make_batch, make_processors, run_guided
from roarm_export.real_time_chunking import SCHEDULES, Guidance

FILES = ("prefix_weights.npz", "synthetic_flows.npz", "guided_chunks.npz")
SEED = 4
JOINTS = 6


def processor(schedule: str, limit: float) -> RTCProcessor:
    return RTCProcessor(RTCConfig(True, RTCAttentionSchedule[schedule], max_guidance_weight=limit, debug=True))


def prefix_weights() -> dict[str, np.ndarray]:
    """`get_prefix_weights` for every schedule; the horizon within the chunk, as `denoise_step` makes sure."""
    cases = list(product(range(4), (0, 1, 2, 3, 8, 10, 25, 49, 50, 70), (0, 1, 2, 5, 10, 12, 25, 49, 50)))
    weights = [processor(SCHEDULES[schedule], 10.0).get_prefix_weights(delay, horizon, 50) for schedule, delay, horizon in cases]
    return columns(cases, ("schedule", "delay", "horizon")) | {"weights": torch.stack(weights).numpy()}


# Velocity fields over (x, t), in the order of `field`: straight to one point, as of a policy that knows what it wants; a rotation that
# depends on time; and one that bends.
POINT, TURN, BEND = range(3)


def velocity(field: int, point: torch.Tensor, x: torch.Tensor, time: float) -> torch.Tensor:
    if field == POINT:
        return (x - point) / time
    if field == TURN:
        return x.roll(1, dims=-1) * (0.5 + time) - x.roll(1, dims=-2) * 0.3
    return torch.tanh(2 * x - point) + 0.2 * x * time


def synthetic_flows() -> dict[str, np.ndarray]:
    """`denoise_step` over whole flows of a chunk of 14 actions in 8 dimensions. Everything that enters and leaves each step."""
    generator = torch.Generator().manual_seed(SEED)
    horizon, dimension = 14, 8
    noise, point = torch.randn(2, horizon, dimension, generator=generator)
    left_over = torch.randn(horizon, JOINTS, generator=generator) * 1.5
    rest = list(product((0, 1, 3, 8), (5, 10, 14), (2.5, 10.0, 40.0), (14, 9, 2), (10, 4)))
    # Every schedule with every seventeenth of the other combinations, which meets each of their values with each schedule.
    cases = [(schedule, *rest[index]) for schedule in range(4) for index in range(schedule, len(rest), 17)]
    arrays: dict[str, list[np.ndarray]] = {name: [] for name in ("x_t", "v_t", "guided_v_t", "guidance_weight")}
    fields, finals = [], []
    for number, (schedule, delay, reach, limit, rows, steps) in enumerate(cases):
        field = number % 3
        guide = processor(SCHEDULES[schedule], limit)
        x = noise.clone()
        for step in range(steps):
            time = 1.0 + step * (-1.0 / steps)
            v = velocity(field, point, x, time)
            guided = guide.denoise_step(x, left_over[-rows:], delay, time, lambda _x, v=v: v[None], reach)
            record = guide.get_all_debug_steps()[-1]
            for name, value in (("x_t", x), ("v_t", v), ("guided_v_t", guided), ("guidance_weight", record.guidance_weight)):
                arrays[name].append(value.numpy().astype(np.float32))
            x = x + (-1.0 / steps) * guided
        fields.append(field)
        finals.append(x.numpy())
    names = ("schedule", "delay", "horizon", "max_guidance_weight", "left_over_rows", "steps")
    # The steps of all cases one after another.
    return (
        columns(cases, names)
        | {name: np.stack(values) for name, values in arrays.items()}
        | {"field": np.array(fields), "left_over": left_over.numpy(), "chunk": np.stack(finals)}
    )


HELD, ZERO_PADDED = 1, 2


def guided_chunks() -> dict[str, np.ndarray]:
    """`predict_action_chunk` of the tiny policy on the golden observation.

    `padding` 0 hands LeRobot the left-over as it is. 1 hands it one whose last action was repeated to the chunk's length, which is what
    holding means; 2 one that was padded with zeros to the horizon, as LeRobot's later releases do."""
    torch.set_num_threads(1)  # a model this small only waits for more
    golden = dict(np.load(GOLDEN))
    checkpoint = read_checkpoint(CHECKPOINT)
    vlm = locate_vlm(checkpoint, None)
    policy = load_policy(checkpoint, vlm)
    observation = Observation({"observation.images.front": golden["image"]}, golden["state"], TASK, golden["noise"])
    preprocessor, _ = make_processors(policy, checkpoint, read_language(checkpoint, vlm, None))
    batch = make_batch(preprocessor, observation)

    generator = np.random.default_rng(SEED)
    horizon = golden["chunk_norm"].shape[1]
    # A motion of its own, up to two deviations from the policy's, that wobbles as a real left-over does.
    phase = generator.uniform(0, 2 * np.pi, JOINTS)
    curve = 1.5 * np.sin(np.linspace(0, 4, horizon)[:, None] + phase) + generator.normal(0, 0.1, (horizon, JOINTS))
    left_over = curve.astype(np.float32)
    grid = product(range(4), (0, 1, 3, 8), (5, 10, 50), (42, 6))
    # Both limits for each value of each other parameter.
    limits = (5.0, 10.0)
    cases = [(schedule, delay, reach, limits[(schedule + delay + reach + rows // 42) % 2], rows, 0) for schedule, delay, reach, rows in grid]
    cases += [(schedule, 3, 10, 25.0, 50, 0) for schedule in range(4)]
    cases += [(schedule, delay, 20, 10.0, 6, padding) for schedule, delay, padding in product(range(4), (3, 8), (HELD, ZERO_PADDED))]
    chunks, disagreement = [], []
    for schedule, delay, reach, limit, rows, padding in cases:
        previous = left_over[horizon - rows :]
        if padding == HELD:
            previous = np.concatenate([previous, np.repeat(previous[-1:], horizon - rows, axis=0)])
        if padding == ZERO_PADDED:
            previous = np.concatenate([previous, np.zeros((reach - rows, JOINTS), np.float32)])
        guidance = Guidance(SCHEDULES[schedule], delay, reach, limit, previous)
        chunk, steps = run_guided(policy, batch, golden["noise"], guidance)
        kept = min(delay, reach, len(previous))
        last = [step for step in steps if step.x1_t is not None][-1].x1_t[0, :kept, :JOINTS].numpy()
        chunks.append(chunk[0])
        disagreement.append(np.abs(last - previous[:kept]).max(initial=0.0))
    names = ("schedule", "delay", "horizon", "max_guidance_weight", "left_over_rows", "padding")
    return columns(cases, names) | {
        "left_over": left_over,
        "chunk_norm": np.stack(chunks),
        # Of the policy's last estimate from the actions to keep, by LeRobot's own debug records.
        "last_disagreement": np.array(disagreement, np.float32),
    }


def columns(cases: list[tuple], names: tuple[str, ...]) -> dict[str, np.ndarray]:
    values = zip(*cases, strict=True)
    return {name: np.array(column, np.float32 if isinstance(column[0], float) else np.int64) for name, column in zip(names, values, strict=True)}


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in zip(FILES, (prefix_weights, synthetic_flows, guided_chunks), strict=True):
        np.savez_compressed(folder / name, **make())


if __name__ == "__main__":
    write(Path(sys.argv[1]))
