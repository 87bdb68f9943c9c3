"""What the client reads, compared within what the virtual arm's servos leave open."""

from __future__ import annotations

from virtual_arm import wait_for

# A servo stops short of its goal by its dead zone (0.1°), the encoder has steps of 0.088°, and the firmware commands around step
# 2047 but reads around 2048, another 0.088°. Gravity pulls shoulder, elbow and wrist (0.5° with the arm stretched out level).
BASE_ROLL_GRIPPER_DEG = 0.35
SHOULDER_ELBOW_WRIST_DEG = 0.9
TOLERANCE_DEG = [
    BASE_ROLL_GRIPPER_DEG,
    SHOULDER_ELBOW_WRIST_DEG,
    SHOULDER_ELBOW_WRIST_DEG,
    SHOULDER_ELBOW_WRIST_DEG,
    BASE_ROLL_GRIPPER_DEG,
    BASE_ROLL_GRIPPER_DEG,
]
# Three sagging joints, the longest lever 550 mm.
TOLERANCE_MM = 10.0

# Where a virtual arm starts, as `joints_angle_get` says it.
HOME_DEG = [0, 0, 90, 0, 0, 0]


def read(get):
    """A reading that came through. On a busy machine the client's 0.1 s may pass before the board has answered."""

    def whole():
        value = get()
        return value if isinstance(value, (list, float)) else None

    return wait_for(whole, f"an answer to {get.__name__}")


def is_near(angles_deg: list[float], wanted_deg: list[float]) -> bool:
    """Whether all six angles are where they should be, within the tolerance of each joint."""
    return all(
        abs(angle - wanted) <= tolerance
        for angle, wanted, tolerance in zip(angles_deg, wanted_deg, TOLERANCE_DEG, strict=True)
    )


def arrive(client, wanted_deg: list[float]) -> list[float]:
    """Waits until the arm stands at `wanted_deg`, and returns where it stands."""

    def there():
        angles = read(client.joints_angle_get)
        return angles if is_near(angles, wanted_deg) else None

    return wait_for(there, f"the arm at {wanted_deg}")
