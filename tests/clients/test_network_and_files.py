"""Network and flash: the client's known slips, as they arrive at the board."""

import socket

import pytest
from reading import HOME_DEG, arrive, read
from roarm_sdk.roarm import roarm

# The log keeps passwords to itself.
HIDDEN = "***"


def test_wifi_on_boot_has_the_wrong_key(arm, client):
    """The board reads `cmd`, which is not there, so that it is 0: WiFi off at every boot, whatever was asked for."""
    client.wifi_on_boot(2)
    assert arm.commands(1) == [{"T": 401, "mode": 2}]


def test_wifi_on_boot_saves_off(arm, client):
    client.wifi_on_boot(2)
    arm.write(b'{"T":202,"name":"wifiConfig.json"}\n')
    # Two answers later it has been said.
    read(client.feedback_get)
    read(client.feedback_get)
    assert any('"wifi_mode_on_boot":0' in line for line in arm.sent())


def test_network_commands(start_arm, connect):
    # G3, which does not block while it looks for a network.
    arm = start_arm("g3")
    client = connect(arm)
    client.ap_set("arm", "12345678")
    client.sta_set("home", "secret78")
    client.apsta_set("arm", "12345678", "home", "secret78")
    client.wifi_config_creat_by_status()
    client.wifi_config_creat_by_input("arm", "12345678", "home", "secret78")
    client.wifi_stop()
    four = {"ap_ssid": "arm", "ap_password": HIDDEN, "sta_ssid": "home", "sta_password": HIDDEN}
    hidden = [{key: HIDDEN if "password" in key else value for key, value in command.items()} for command in arm.commands(6)]
    assert hidden == [
        {"T": 402, "ssid": "arm", "password": HIDDEN},
        {"T": 403, "ssid": "home", "password": HIDDEN},
        {"T": 404, **four},
        {"T": 406},
        # `mode` is missing, so that 0, off, is saved.
        {"T": 407, **four},
        {"T": 408},
    ]
    arrive(client, HOME_DEG)


@pytest.mark.parametrize("firmware", ["g1", "g3"])
def test_http_is_for_commands_only(start_arm, connect, firmware):
    """Each command is one request; feedback is refused by the client itself."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    arm = start_arm(firmware, "--http", address)
    client = roarm(roarm_type="roarm_m3", host=address)
    assert client.joints_angle_ctrl(angles=[10, 0, 80, 0, 0, 15], speed=2000, acc=0).startswith(b'{"T": 122,')
    assert client.joints_angle_get() == -1
    arrive(connect(arm), [10, 0, 80, 0, 0, 15])


def test_gripper_mode_set_moves_nothing(arm, client):
    """It appends a step with T:1 to the boot mission. The M3 has no T:1."""
    client.gripper_mode_set(1)
    assert arm.commands(1) == [{"T": 222, "name": "boot", "step": '{"T":1,"mode":1}'}]
    arrive(client, HOME_DEG)


def test_gripper_mode_set_wears_the_flash(arm, client):
    """One more line in the boot mission for each call."""
    client.gripper_mode_set(1)
    client.gripper_mode_set(1)
    arm.write(b'{"T":602}\n')
    # Two answers later it has been said.
    read(client.feedback_get)
    read(client.feedback_get)
    assert any('[StepNum: 2 ] - {"T":1,"mode":1}' in line for line in arm.sent())


def test_replay_of_a_taught_motion_goes_joint_by_joint(start_arm, connect, tmp_path):
    """Each joint has a command of its own and then a pause as long as the whole sample: six times too slow."""
    arm = start_arm("g1")
    client = connect(arm)
    records = tmp_path / "motion.json"
    records.write_text(
        '[{"timestamped": 0, "radians": [0, 0, 1.57, 0, 0, 0]},'
        ' {"timestamped": 0.2, "radians": [0.2, 0.1, 1.47, 0, 0, 0.3]}]'
    )
    client.drag_teach_replay(str(records))
    commands = arm.commands(4)
    assert [(command["T"], command["joint"]) for command in commands] == [(101, joint) for joint in (1, 2, 3, 6)]
    assert [command["spd"] for command in commands] == [651, 325, 325, 977]
    arrive(client, [11.46, 5.73, 84.22, 0, 0, 17.19])
