"""`roarm sim` as a process, and what its log says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

# Waiting is for a result, never for a time: this is only when to give up, on however busy a machine.
PATIENCE_S = 120.0
# 115200 baud, ten bits a byte.
BYTES_A_SECOND = 11520.0


@dataclass(frozen=True)
class Frame:
    """A feedback frame that the board sent."""

    time_s: float
    """When it left the board, counted by the bytes sent before it: right while the board streams, however unevenly the host runs."""
    values: dict[str, float]


class VirtualArm:
    """A virtual arm until `end`."""

    def __init__(self, program: Path, firmware: str, options: tuple[str, ...], folder: Path) -> None:
        folder.mkdir()
        self.firmware = firmware
        self.port = folder / "port"
        self._log = folder / "lines.log"
        command = [program, "sim", "--firmware", firmware, "--link", self.port, "--log", self._log, *options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        # The first line on standard output says that the port is there.
        if not self._process.stdout.readline():
            raise RuntimeError(f"{command} did not start: {self._process.stderr.read()}")

    def end(self) -> None:
        """Ctrl-C, the ordinary end."""
        self._process.send_signal(signal.SIGINT)
        try:
            _, errors = self._process.communicate(timeout=PATIENCE_S)
        finally:
            self._process.kill()
        assert self._process.returncode == 0, errors
        assert not self.port.is_symlink(), "the link is left behind"

    def write(self, line: bytes) -> None:
        """Sends bytes past the client, as another program on the same port would."""
        port = os.open(self.port, os.O_WRONLY | os.O_NOCTTY)
        os.write(port, line)
        os.close(port)

    def received(self) -> list[str]:
        """The lines that the board has taken in so far, as they stood on the wire."""
        return self._lines(">")

    def sent(self) -> list[str]:
        """The lines that the board has sent so far."""
        return self._lines("<")

    def _lines(self, direction: str) -> list[str]:
        # What follows the last line end is still being written.
        whole = self._log.read_text(encoding="utf-8").split("\n")[:-1]
        parts = [line.split(" ", 2) for line in whole]
        return [part[2] for part in parts if part[1] == direction]

    def commands(self, count: int) -> list[dict]:
        """The commands that the client has sent so far, T:105 left out; waits until there are `count`, and more is an error."""

        def all_there() -> list[dict] | None:
            commands = [command for line in self.received() if (command := json.loads(line))["T"] != 105]
            return commands if len(commands) >= count else None

        commands = wait_for(all_there, f"{count} commands at the board")
        assert len(commands) == count, commands
        return commands

    def frames(self) -> list[Frame]:
        """All feedback so far."""
        frames, time_s = [], 0.0
        for line in self.sent():
            if line.startswith('{"T":1051,'):
                frames.append(Frame(time_s, json.loads(line)))
            time_s += (len(line) + 2) / BYTES_A_SECOND
        return frames

    def is_silent(self) -> bool:
        """Whether the board sends nothing for half a second."""
        before = len(self.sent())
        time.sleep(0.5)
        return len(self.sent()) == before


def wait_for(answer, what: str):
    """Asks until the answer is not None, and returns it."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := answer()) is None:
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s in vain for {what}"
        time.sleep(0.02)
    return found
