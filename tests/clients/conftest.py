"""Fixtures: a virtual arm for each test, and the official client on its port."""

from __future__ import annotations

from pathlib import Path

import pytest
from roarm_sdk.roarm import roarm
from virtual_arm import VirtualArm


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--roarm", type=Path, required=True, help="the program `roarm` under test")


@pytest.fixture
def start_arm(request: pytest.FixtureRequest, tmp_path: Path):
    """Starts `roarm sim --firmware FIRMWARE OPTIONS…`; every arm is ended after the test, and must end well."""
    arms: list[VirtualArm] = []

    def start(firmware: str, *options: str) -> VirtualArm:
        arm = VirtualArm(request.config.getoption("--roarm"), firmware, options, tmp_path / f"arm{len(arms)}")
        arms.append(arm)
        return arm

    yield start
    for arm in arms:
        arm.end()


@pytest.fixture
def connect():
    """Opens the official client on an arm's port; every client is closed after the test."""
    clients: list[roarm] = []

    def open_client(arm: VirtualArm, **options) -> roarm:
        client = roarm(roarm_type="roarm_m3", port=str(arm.port), baudrate=115200, **options)
        clients.append(client)
        return client

    yield open_client
    for client in clients:
        client.disconnect()


@pytest.fixture(params=["g1", "g3"])
def arm(request: pytest.FixtureRequest, start_arm) -> VirtualArm:
    """A running arm of each generation, homed."""
    return start_arm(request.param)


@pytest.fixture
def client(arm: VirtualArm, connect) -> roarm:
    """The client on `arm`."""
    return connect(arm)
