"""Every way to command a joint: what goes over the wire, and where the arm then stands."""

import math

import pytest
from reading import HOME_DEG, TOLERANCE_DEG, TOLERANCE_MM, arrive, read
from roarm_sdk.utils import RoarmDataException
from virtual_arm import wait_for

POSE_DEG = [12.0, -14.0, 71.5, 20.25, -30.0, 25.0]
FAST = {"speed": 2000, "acc": 100}


def test_all_joints_in_radians(arm, client):
    radians = [math.radians(angle) for angle in POSE_DEG]
    sent = client.joints_radian_ctrl(radians=list(radians), **FAST)
    assert sent.endswith(b"\n"), "a setter returns the bytes that it has sent"
    [command] = arm.commands(1)
    base, shoulder, elbow, wrist, roll, gripper = radians
    assert command == {
        "T": 102,
        "base": base,
        "shoulder": shoulder,
        "elbow": elbow,
        "wrist": wrist,
        "roll": roll,
        "hand": math.pi - gripper,
        "spd": 2000,
        "acc": 100,
    }
    arrive(client, POSE_DEG)


def test_all_joints_in_degrees(arm, client):
    client.joints_angle_ctrl(angles=list(POSE_DEG), speed=1000, acc=254)
    [command] = arm.commands(1)
    assert command == {
        "T": 122,
        "b": 12.0,
        "s": -14.0,
        "e": 71.5,
        "t": 20.25,
        "r": -30.0,
        "h": 155.0,
        # The client converts from steps to degrees, though with another number for the acceleration.
        "spd": 1000 * 180 / 2048,
        "acc": 254 * 180 / 25400,
    }
    arrive(client, POSE_DEG)


@pytest.mark.parametrize("joint", range(1, 7))
def test_one_joint_in_radians_then_in_degrees(start_arm, connect, joint):
    # The generations take turns: what one joint does is the same in both.
    arm = start_arm("g1" if joint % 2 else "g3")
    client = connect(arm)
    wanted = list(HOME_DEG)
    wanted[joint - 1] += 20.0
    angle = wanted[joint - 1]
    client.joint_radian_ctrl(joint=joint, radian=math.radians(angle), **FAST)
    arrive(client, wanted)
    wanted[joint - 1] += 7.5
    client.joint_angle_ctrl(joint=joint, angle=wanted[joint - 1], **FAST)
    arrive(client, wanted)
    by_radian, by_angle = arm.commands(2)
    gripper = joint == 6
    radian = math.pi - math.radians(angle) if gripper else math.radians(angle)
    assert by_radian == {"T": 101, "joint": joint, "rad": radian, "spd": 2000, "acc": 100}
    angle = 180 - wanted[5] if gripper else wanted[joint - 1]
    spd, acc = 2000 * 180 / 2048, 100 * 180 / 25400
    assert by_angle == {"T": 121, "joint": joint, "angle": angle, "spd": spd, "acc": acc}
    # A debug print that the firmware has left for joint 1 alone: the angle in degrees and in radians.
    numbers = [line for line in arm.sent() if line.replace(".", "", 1).isdigit()]
    assert numbers == (["27.50", "0.48"] if joint == 1 else [])


def test_gripper(arm, client):
    assert client.gripper_radian_ctrl(radian=0.5, **FAST) == 1
    arrive(client, [0, 0, 90, 0, 0, math.degrees(0.5)])
    assert read(client.gripper_radian_get) == pytest.approx(0.5, abs=math.radians(TOLERANCE_DEG[5]))
    assert client.gripper_angle_ctrl(angle=60, **FAST) == 1
    arrive(client, [0, 0, 90, 0, 0, 60])
    assert read(client.gripper_angle_get) == pytest.approx(60, abs=TOLERANCE_DEG[5])
    by_radian, by_angle = arm.commands(2)
    assert (by_radian["T"], by_radian["joint"], by_radian["rad"]) == (101, 6, math.pi - 0.5)
    assert (by_angle["T"], by_angle["joint"], by_angle["angle"]) == (121, 6, 120)


def test_pose(arm, client):
    pose = [300.0, 60.0, 180.0, 10.0, 20.0, 30.0]
    client.pose_ctrl(pose=list(pose))
    [command] = arm.commands(1)
    t, r, g = (math.radians(angle) for angle in pose[3:])
    assert command == {"T": 1041, "x": 300.0, "y": 60.0, "z": 180.0, "t": t, "r": r, "g": math.pi - g}

    def there():
        measured = read(client.pose_get)
        near = measured[:3] == pytest.approx(pose[:3], abs=TOLERANCE_MM)
        pitch_roll_gripper = [3 * TOLERANCE_DEG[3], TOLERANCE_DEG[4], TOLERANCE_DEG[5]]
        turned = zip(measured[3:], pose[3:], pitch_roll_gripper, strict=True)
        return measured if near and all(abs(is_ - be) <= within for is_, be, within in turned) else None

    wait_for(there, f"the tool at {pose}")


def test_a_pose_out_of_reach_swings_the_arm_up(arm, client):
    """No error anywhere: base, roll and gripper go to their goals, the rest to where "not a number" leads."""
    client.pose_ctrl(pose=[500, 500, 600, 0, 10, 20])
    elbow = {"g1": -45, "g3": 0}[arm.firmware]
    arrive(client, [45, 0, elbow, 0, 10, 20])


def test_move_init_is_not_the_homing_routine(arm, client):
    client.joints_angle_ctrl(angles=[4, 3, 87, -4, 5, 3], speed=2000, acc=0)
    arrive(client, [4, 3, 87, -4, 5, 3])
    assert client.move_init() == 1
    [_, command] = arm.commands(2)
    home = {"base": 0, "shoulder": 0, "elbow": 1.5708, "wrist": 0, "roll": 0, "hand": math.pi}
    assert command == {"T": 102, **home, "spd": 100, "acc": 0}
    arrive(client, HOME_DEG)


def test_the_client_allows_more_than_the_board(arm, client):
    """Up to 110° and 190° go out; the board stops at its own limits without a word."""
    client.joint_angle_ctrl(joint=4, angle=103.5, speed=4096, acc=0)
    client.joint_angle_ctrl(joint=2, angle=-110, speed=4096, acc=0)
    client.joint_angle_ctrl(joint=1, angle=-190, speed=4096, acc=0)
    client.joint_angle_ctrl(joint=3, angle=-20, speed=4096, acc=0)
    assert [command["angle"] for command in arm.commands(4)] == [103.5, -110, -190, -20]
    elbow = {"g1": -20, "g3": 0}[arm.firmware]
    arrive(client, [-180, -90, elbow, 90, 0, 0])


def test_one_step_past_half_a_turn(start_arm, connect):
    """At +180° and beyond, the base's goal is step -1, which reads back as a little more than π."""
    arm = start_arm("g1")
    client = connect(arm)
    client.joint_radian_ctrl(joint=1, radian=3.3, speed=4096, acc=0)
    arrive(client, [180.09, 0, 90, 0, 0, 0])


@pytest.mark.parametrize(
    "refused",
    [
        lambda client: client.joint_angle_ctrl(joint=4, angle=111, **FAST),
        lambda client: client.joints_radian_ctrl(radians=[3.4, 0, 0, 0, 0, 0], **FAST),
        lambda client: client.joint_angle_ctrl(joint=7, angle=0, **FAST),
        lambda client: client.gripper_angle_ctrl(angle=10, speed=1.5, acc=0),
        lambda client: client.pose_ctrl(pose=[0, 0, 601, 0, 0, 0]),
    ],
)
def test_what_the_client_refuses_is_never_sent(start_arm, connect, refused):
    arm = start_arm("g1")
    client = connect(arm)
    with pytest.raises(RoarmDataException):
        refused(client)
    client.led_ctrl(led=1)
    assert arm.commands(1) == [{"T": 114, "led": 1}]
