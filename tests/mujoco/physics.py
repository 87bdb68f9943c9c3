"""MuJoCo as the physics of `roarm demo --physics`: the cell comes as a model, then step by step what the servos pull with.

The language is that of `src/sim/physics`: `roarm physics 1`, a length and a model in MJCF; then requests in, states out, until the input
ends. All numbers are 64 bits, little-endian. Nothing about the arm or the boxes is written here but their names.
"""

import argparse
import struct
import sys

try:
    import mujoco
    import numpy as np
except ImportError as error:
    sys.exit(f"{error}: install MuJoCo for this Python ({sys.executable}): pip install -r tests/mujoco/requirements.txt")

GREETING = b"roarm physics 1\n"
JOINTS = 6
# number, seconds, and for each joint: target, N·m/rad, N·m
REQUEST = struct.Struct(f"<2d{3 * JOINTS}d")
BOXES = ("white box", "red box")
JAWS = ("fixed jaw", "moving jaw")


def read(length: int) -> bytes | None:
    """So many bytes of the input; `None` when it has ended."""
    data = sys.stdin.buffer.read(length)
    return data if len(data) == length else None


class Cell:
    """The model in motion."""

    def __init__(self, xml: str, friction: float | None) -> None:
        self.model = mujoco.MjModel.from_xml_string(xml)
        if friction is not None:
            self.model.geom_friction[:, 0] = friction
        self.data = mujoco.MjData(self.model)
        mujoco.mj_resetDataKeyframe(self.model, self.data, 0)
        mujoco.mj_forward(self.model, self.data)
        self.tool = self.data.site("tool")
        self.boxes = [self.data.body(name) for name in BOXES]
        self.jaws = [self.model.geom(name).id for name in JAWS]
        self.box_geoms = [int(self.model.body(name).geomadr[0]) for name in BOXES]

    def advance(self, seconds: float, drives: np.ndarray) -> None:
        target, stiffness, limit = drives.T
        model, data = self.model, self.data
        # position servos: force = stiffness * (target - angle), within the limit
        model.actuator_gainprm[:, 0] = stiffness
        model.actuator_biasprm[:, 1] = -stiffness
        model.actuator_forcerange[:, 0] = -limit
        model.actuator_forcerange[:, 1] = limit
        data.ctrl[:] = target
        for _ in range(round(seconds / model.opt.timestep)):
            mujoco.mj_step(model, data)
        # a step ends with new angles, but with places of the old ones
        mujoco.mj_kinematics(model, data)

    def held(self) -> list[float]:
        """For each box whether both jaws touch it."""
        touching = {tuple(sorted(pair)) for pair in self.data.contact.geom.tolist()}
        return [
            float(all(tuple(sorted((box, jaw))) in touching for jaw in self.jaws)) for box in self.box_geoms
        ]

    def state(self, number: float) -> bytes:
        boxes = [np.concatenate((box.xpos, box.xquat)) for box in self.boxes]
        parts = ([number], self.data.qpos[:JOINTS], self.tool.xpos, *boxes, self.held())
        return np.concatenate(parts).astype("<f8").tobytes()


def answer(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description="MuJoCo for `roarm demo --physics`; speaks by pipes, not by hand")
    parser.add_argument("--friction", type=float, help="sliding friction of everything, in place of the model's")
    friction = parser.parse_args().friction
    if read(len(GREETING)) != GREETING:
        sys.exit("the input does not begin as version 1 of the physics does: program and script are of different versions")
    (length,) = struct.unpack("<Q", read(8) or bytes(8))
    # MuJoCo would write warnings to a file in the working folder
    mujoco.set_mju_user_warning(lambda text: print(f"MuJoCo: {text}", file=sys.stderr))
    cell = Cell((read(length) or b"").decode(), friction)
    answer(cell.state(0))
    while (data := read(REQUEST.size)) is not None:
        number, seconds, *drives = REQUEST.unpack(data)
        cell.advance(seconds, np.array(drives).reshape(JOINTS, 3))
        answer(cell.state(number))


if __name__ == "__main__":
    main()
