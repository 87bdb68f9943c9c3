"""Real-time chunking in numpy: the cases of the parity fixture, and guidance for the flow loop of `graph_runner`.

LeRobot 0.4.4's `RTCProcessor.denoise_step` (policies/rtc/modeling_rtc.py): its correction equals the weighted error, because it
computes the velocity before it turns on the gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SCHEDULES = ("ZEROS", "ONES", "LINEAR", "EXP")
SEED = 20260102


@dataclass(frozen=True)
class Guidance:
    """The arguments of LeRobot's `predict_action_chunk` and of its `RTCConfig`."""

    schedule: str
    inference_delay: int
    execution_horizon: int
    max_guidance_weight: float
    previous: np.ndarray
    """float32 (rows, action dim): the previous chunk's left-over, normalised."""

    def parameters(self) -> dict:
        """For parity.json."""
        return {
            "schedule": self.schedule,
            "inference_delay": self.inference_delay,
            "execution_horizon": self.execution_horizon,
            "max_guidance_weight": self.max_guidance_weight,
        }


def parity_cases(chunk_norm: np.ndarray) -> list[Guidance]:
    """One case a schedule, and one whose left-over ends before the horizon.

    The previous chunk is `chunk_norm` (1, H, dim) itself, some steps on, after a seeded drift of a third of a standard deviation."""
    horizon, dim = chunk_norm.shape[1:]
    rows = max(1, horizon - horizon // 5)
    drift = np.random.default_rng(SEED).normal(0, 0.3, (1, dim)) + np.random.default_rng(SEED + 1).normal(0, 0.05, (rows, dim))
    previous = (chunk_norm[0, horizon - rows :] + drift).astype(np.float32)
    delay, reach = max(1, horizon // 12), max(1, horizon // 4)
    cases = [Guidance(schedule, delay, reach, 10.0, previous) for schedule in SCHEDULES]
    return [*cases, Guidance("LINEAR", delay, reach, 5.0, previous[: max(1, reach // 2)])]


def prefix_weights(schedule: str, delay: int, horizon: int, total: int) -> np.ndarray:
    """float32 (total,): 1 before the delay, 0 from the horizon on."""
    end = min(horizon, total)
    start = min(delay, end)
    falling = (end - np.arange(start, end)) / (end - start + 1)
    middle = {
        "ZEROS": np.zeros_like(falling),
        "ONES": np.ones_like(falling),
        "LINEAR": falling,
        "EXP": falling * np.expm1(falling) / (np.e - 1),
    }[schedule]
    return np.concatenate([np.ones(start), middle, np.zeros(total - end)]).astype(np.float32)


def guidance_weight(time: float, limit: float) -> np.float32:
    tau = np.float32(1 - time)
    if tau == 0:
        return np.float32(limit)
    rest = np.float32(1) - tau
    return min(np.float32(rest / tau * ((rest * rest + tau * tau) / (rest * rest))), np.float32(limit))


def guided_velocity(v_t: np.ndarray, x_t: np.ndarray, time: float, guidance: Guidance) -> np.ndarray:
    """(1, H, padded dim) in and out. The left-over is padded with zeros, and the horizon cut to its length."""
    _, total, _ = x_t.shape
    rows, dim = guidance.previous.shape
    previous = np.zeros_like(x_t)
    previous[0, :rows, :dim] = guidance.previous
    weights = prefix_weights(guidance.schedule, guidance.inference_delay, min(guidance.execution_horizon, rows), total)
    error = (previous - (x_t - np.float32(time) * v_t)) * weights[None, :, None]
    return v_t - guidance_weight(time, guidance.max_guidance_weight) * error
