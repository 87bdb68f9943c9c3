"""LeRobot's own real-time chunking against the shipped fixtures and against the exporter's formulas."""

from __future__ import annotations

import numpy as np
import pytest
import real_time_chunking as fixtures

from locations import REAL_TIME_CHUNKING
from roarm_export.graph_runner import flow_times
from roarm_export.real_time_chunking import SCHEDULES, guidance_weight, prefix_weights


@pytest.mark.parametrize(
    ("file", "make", "limit"),
    [
        ("prefix_weights.npz", fixtures.prefix_weights, 0),
        ("synthetic_flows.npz", fixtures.synthetic_flows, 1e-3),  # velocities up to 300
        ("guided_chunks.npz", fixtures.guided_chunks, 1e-5),
    ],
)
def test_the_shipped_fixtures_are_made_again(file, make, limit):
    ours, shipped = make(), dict(np.load(REAL_TIME_CHUNKING / file))
    assert ours.keys() == shipped.keys()
    for name, array in shipped.items():
        assert ours[name].shape == array.shape, name
        assert np.abs(ours[name].astype(np.float64) - array).max() <= limit, name


def test_the_exporters_formulas_are_lerobots():
    expected = dict(np.load(REAL_TIME_CHUNKING / "prefix_weights.npz"))
    for schedule, delay, horizon, weights in zip(*(expected[name] for name in ("schedule", "delay", "horizon", "weights")), strict=True):
        ours = prefix_weights(SCHEDULES[schedule], delay, horizon, weights.size)
        assert np.abs(ours - weights).max() <= 1e-6, (schedule, delay, horizon)
    expected = dict(np.load(REAL_TIME_CHUNKING / "synthetic_flows.npz"))
    pairs = zip(expected["steps"], expected["max_guidance_weight"], strict=True)
    ours = [guidance_weight(time, limit) for steps, limit in pairs for time in flow_times(int(steps))]
    assert np.abs(np.array(ours) - expected["guidance_weight"]).max() <= 1e-6


def test_lerobots_correction_is_the_masked_error():
    """What everything here rests on: no gradient flows through the policy."""
    guide = fixtures.processor("EXP", 10.0)
    generator = fixtures.torch.Generator().manual_seed(1)
    x, left_over, point = (fixtures.torch.randn(1, 14, 8, generator=generator) for _ in range(3))
    for time in (1.0, 0.5, 0.1):
        # A field that depends on x: its gradient is far from zero.
        guide.denoise_step(x, left_over, 3, time, lambda x, time=time: fixtures.velocity(fixtures.BEND, point, x, time), 10)
        record = guide.get_all_debug_steps()[-1]
        assert fixtures.torch.equal(record.correction, record.err) and record.err.abs().max() > 0.1
