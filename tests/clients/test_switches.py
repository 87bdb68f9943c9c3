"""Torque, light, feedback mode, torque limits."""

import pytest
from reading import HOME_DEG, arrive, read
from virtual_arm import wait_for


def test_torque_off_lets_the_g1_arm_fall_and_on_holds_it(start_arm, connect):
    arm = start_arm("g1")
    client = connect(arm)
    client.torque_set(0)

    def fallen():
        _, shoulder, elbow, *_ = read(client.joints_angle_get)
        return True if shoulder > 5 or elbow > 95 else None

    wait_for(fallen, "the arm falling")
    client.torque_set(1)
    assert arm.commands(2) == [{"T": 210, "cmd": 0}, {"T": 210, "cmd": 1}]
    wait_for(lambda: arm.is_silent() is False or None, "the stream going on")
    caught = read(client.joints_angle_get)
    wait_for(lambda: arm.is_silent() is False or None, "half a second of it")
    assert read(client.joints_angle_get) == pytest.approx(caught, abs=1)


def test_a_goal_switches_torque_on_again(start_arm, connect):
    arm = start_arm("g1")
    client = connect(arm)
    client.torque_set(0)
    client.joints_angle_ctrl(angles=[10, 0, 80, 0, 0, 10], speed=2000, acc=0)
    arrive(client, [10, 0, 80, 0, 0, 10])


def test_torque_off_folds_the_g3_arm_first(start_arm, connect):
    """The board is deaf while it folds; the client waits for it up to 30 s."""
    arm = start_arm("g3")
    client = connect(arm)
    client.torque_set(0)
    _, shoulder, elbow, *_ = read(client.joints_angle_get)
    assert shoulder < -75 and elbow > 165, "folded, before it lets go"

    def switches(value: int):
        read(client.feedback_get)
        last = arm.frames()[-1].values
        return True if {last[f"torswitch{joint}"] for joint in "BSETRG"} == {value} else None

    wait_for(lambda: switches(0), "all torque switches off")
    client.torque_set(1)
    wait_for(lambda: switches(1), "all torque switches on")


def test_light(arm, client):
    client.led_ctrl(led=128)
    assert arm.commands(1) == [{"T": 114, "led": 128}]
    assert client.breath_led(duration=0.2, steps=2) == 1
    assert [command["led"] for command in arm.commands(7)] == [128, 0, 127, 255, 255, 127, 0]
    arrive(client, HOME_DEG)


def test_torque_limits_go_out_in_full(arm, client):
    """The board reads `e` for wrist and roll as well; nothing tells the client."""
    client.dynamic_adaptation_set(1, [60, 110, 50, 60, 70, 80])
    client.dynamic_adaptation_set(0, [1, 1, 1, 1, 1, 1])
    first, second = arm.commands(2)
    assert first == {"T": 112, "mode": 1, "b": 60, "s": 110, "e": 50, "t": 60, "r": 70, "h": 80}
    assert second["mode"] == 0
    arrive(client, HOME_DEG)


@pytest.mark.parametrize("echo", [0, 1])
def test_echo_set_ends_the_stream_of_g1(start_arm, connect, echo):
    """It is the feedback mode, T:605: 0 is quiet and 1 debug text, and neither streams."""
    arm = start_arm("g1")
    client = connect(arm)
    wait_for(lambda: len(arm.frames()) > 10 or None, "the stream after the start")
    client.echo_set(echo)
    assert arm.commands(1) == [{"T": 605, "cmd": echo}]
    wait_for(lambda: arm.is_silent() or None, "the end of the stream")
    frames = len(arm.frames())
    assert read(client.joints_angle_get) == pytest.approx(HOME_DEG, abs=2)
    wait_for(lambda: arm.is_silent() or None, "nothing but the answer")
    assert frames < len(arm.frames()) <= frames + 10


@pytest.mark.parametrize(("firmware", "echoes"), [("g1", True), ("g3", False)])
def test_only_g1_echoes(start_arm, connect, firmware, echoes):
    arm = start_arm(firmware)
    client = connect(arm)
    client.echo_set(1)
    client.led_ctrl(led=3)
    arm.commands(2)
    read(client.joints_angle_get)
    assert ('{"T": 114, "led": 3}' in arm.sent()) is echoes


def test_middle_set_is_for_all_servos(arm, client):
    """It makes where each servo stands its middle, in EEPROM: whatever the pose, it reads as home from then on.

    That the servos then hold, and do not go to their old goals by the new count, is the virtual arm's default; no source says it.
    """
    client.joints_angle_ctrl(angles=[10, 8, 80, -10, 12, 20], speed=2000, acc=0)
    arrive(client, [10, 8, 80, -10, 12, 20])
    client.middle_set()
    assert arm.commands(2)[1] == {"T": 502, "id": 254}
    arrive(client, HOME_DEG)
