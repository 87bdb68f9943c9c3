"""Joints, pose and feedback as the client reads them, and what it says when it reads nothing."""

import math

import pytest
from reading import HOME_DEG, TOLERANCE_DEG, TOLERANCE_MM, is_near, read
from virtual_arm import wait_for

KEYS = {"g1": 16, "g3": 24}


def test_feedback_is_a_frame_of_the_board(arm, client):
    feedback = read(client.feedback_get)

    def as_read():
        """The board's frame as ten numbers, the gripper turned around. The frame's other keys are thrown away."""
        for frame in arm.frames():
            pose = [frame.values[key] for key in ("x", "y", "z", "tit", "b", "s", "e", "t", "r")]
            if feedback == [*pose, math.pi - frame.values["g"]]:
                return frame
        return None

    assert len(wait_for(as_read, "the frame in the log").values) == KEYS[arm.firmware]


def test_joints_and_gripper(arm, client):
    degrees = read(client.joints_angle_get)
    radians = read(client.joints_radian_get)
    assert is_near(degrees, HOME_DEG)
    assert [math.radians(angle) for angle in degrees] == pytest.approx(radians, abs=math.radians(0.1))
    assert abs(read(client.gripper_angle_get)) <= TOLERANCE_DEG[5]
    assert abs(read(client.gripper_radian_get)) <= math.radians(TOLERANCE_DEG[5])


def test_pose(arm, client):
    x, y, z, pitch, roll, gripper = read(client.pose_get)
    assert [x, y, z] == pytest.approx([346.16, 0, 223.13], abs=TOLERANCE_MM)
    assert [pitch, roll, gripper] == pytest.approx([0, 0, 0], abs=3 * TOLERANCE_DEG[1])


def test_no_inversion_with_the_geared_gripper(start_arm, connect):
    geared = connect(start_arm("g1"), gripper_type="angular_gear")
    assert read(geared.gripper_angle_get) == pytest.approx(180, abs=TOLERANCE_DEG[5])


def test_a_deaf_board_reads_as_minus_one(start_arm, connect):
    """G1's emergency stop blocks its loop for 10 s: ten requests in vain, then -1 in place of a list."""
    arm = start_arm("g1")
    client = connect(arm)
    read(client.joints_angle_get)
    arm.write(b'{"T":0}\n')
    wait_for(lambda: '{"T":0}' in arm.received() or None, "the stop at the board")
    wait_for(lambda: arm.is_silent() or None, "silence")
    for get in (client.feedback_get, client.joints_angle_get, client.pose_get, client.gripper_radian_get):
        assert get() == -1


def test_a_full_queue_reads_as_minus_one(start_arm, connect):
    """G3 answers the 51st waiting command with an error object. The client takes it for its frame, misses `x` and says -1."""
    arm = start_arm("g3")
    client = connect(arm)
    read(client.joints_angle_get)
    arm.write(b'{"T":301,"mode":0}\n' * 1000)  # 1.6 s on the wire, several times as fast as the board's loop
    wait_for(lambda: '{"error":"Queue full"}' in arm.sent() or None, "the full queue")
    assert client.joints_angle_get() == -1
    assert client.base_controller.data_buffer == {"error": "Queue full"}


@pytest.mark.parametrize("firmware", ["g1", "g3"])
def test_servos_that_were_never_read(start_arm, connect, firmware):
    """No 12 V at the start: every servo's last known step is 0, and the client shows the well-known nonsense."""
    client = connect(start_arm(firmware, "--boot", "--fault", "no-12v"))
    assert read(client.joints_angle_get) == pytest.approx([180, -180, -90, -180, 180, 180], abs=1e-6)
    assert read(client.pose_get)[:3] == pytest.approx([57.18, 0, -223.13], abs=1e-6)


def test_g3_on_low_supply_says_so_between_the_frames(start_arm, connect):
    """The text floods the link; the client finds its frames in it all the same."""
    arm = start_arm("g3", "--fault", "low-supply=5.2")
    assert isinstance(read(connect(arm).joints_angle_get), list)
    assert any(line.startswith("Low operating voltage detected") for line in arm.sent())
    assert all(frame.values["v"] == 520 for frame in arm.frames())
