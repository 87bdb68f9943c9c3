"""Speeds and accelerations: the client's units in degrees are not the firmware's, and both truncate.

G1 streams its feedback, so the log's frames are a clock: see `VirtualArm.frames`.
"""

import math

import pytest
from virtual_arm import VirtualArm, wait_for


def seconds_of_way(arm: VirtualArm, part_of_way: tuple[float, float], goal_rad: float) -> float:
    """How long the base took from the one part of its way to the other, on the board's own clock."""
    begin, end = (part * goal_rad for part in part_of_way)

    def duration():
        times = [[frame.time_s for frame in arm.frames() if frame.values["b"] >= angle] for angle in (begin, end)]
        return times[1][0] - times[0][0] if all(times) else None

    return wait_for(duration, f"the base at {end} rad")


@pytest.fixture
def g1(start_arm):
    return start_arm("g1")


def test_a_low_speed_in_degrees_is_full_speed(g1, connect):
    """11 steps/s become 0.97 °/s, the board makes that 0, and 0 is as fast as the servo can: 270 °/s."""
    connect(g1).joint_angle_ctrl(joint=1, angle=90, speed=11, acc=0)
    assert g1.commands(1)[0]["spd"] == pytest.approx(0.967, abs=0.001)
    assert seconds_of_way(g1, (0.1, 0.9), math.pi / 2) == pytest.approx(0.8 * 90 / 270, abs=0.06)


def test_one_step_more_is_one_degree_a_second(g1, connect):
    connect(g1).joint_angle_ctrl(joint=1, angle=2, speed=12, acc=0)
    assert g1.commands(1)[0]["spd"] == pytest.approx(1.055, abs=0.001)
    # 1 °/s is rounded to 11 steps/s.
    assert seconds_of_way(g1, (0.2, 0.7), math.radians(2)) == pytest.approx(0.5 * 2 / (11 * 360 / 4096), abs=0.15)


def test_most_accelerations_in_degrees_are_no_ramp(g1, connect):
    """141 becomes 0.999 °/s², the board makes that 0, and 0 is no ramp: full speed from the first moment."""
    connect(g1).joints_angle_ctrl(angles=[60, 0, 90, 0, 0, 0], speed=4096, acc=141)
    assert g1.commands(1)[0]["acc"] == pytest.approx(0.9992, abs=0.0001)
    assert seconds_of_way(g1, (0.1, 0.9), math.radians(60)) == pytest.approx(0.8 * 60 / 270, abs=0.06)


def test_the_others_are_one_degree_a_second_squared(g1, connect):
    """142..254 become 1, which is register value 11: 1100 steps/s², 97 °/s². A ramp up and down over all of the way."""
    connect(g1).joints_angle_ctrl(angles=[60, 0, 90, 0, 0, 0], speed=4096, acc=254)
    assert g1.commands(1)[0]["acc"] == pytest.approx(1.8, abs=0.0001)
    acceleration = 1100 * 360 / 4096
    # From 10 % to 90 %: all of it, less the beginning and the end.
    whole, edge = 2 * math.sqrt(60 / acceleration), math.sqrt(2 * 6 / acceleration)
    assert seconds_of_way(g1, (0.1, 0.9), math.radians(60)) == pytest.approx(whole - 2 * edge, abs=0.1)


def test_radians_go_unconverted(g1, connect):
    """T:102 and T:101 take registers: 1000 steps/s stay 1000."""
    connect(g1).joints_radian_ctrl(radians=[1.2, 0, math.pi / 2, 0, 0, 0], speed=1000, acc=0)
    command = g1.commands(1)[0]
    assert (command["spd"], command["acc"]) == (1000, 0)
    expected = 0.8 * 1.2 / (1000 * 2 * math.pi / 4096)
    assert seconds_of_way(g1, (0.1, 0.9), 1.2) == pytest.approx(expected, abs=0.06)
