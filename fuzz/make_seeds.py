#!/usr/bin/env python3
"""Makes the seed corpus `seeds/` anew from data that other software wrote: `python3 fuzz/make_seeds.py`

The sources are the traces of the vendor's firmware and the captures of a real board in firmware-protocol/tests/data/, and the fixture of the run log's format in tests/data/run_log/.
From each family of traces come the cases with the most different lines; the same script always gives the same files.
"""

import gzip
import hashlib
import json
import shutil
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "firmware-protocol" / "tests" / "data"
SEEDS = HERE / "seeds"
CASES_A_FAMILY = 6
LONGEST = 900  # bytes; the fuzzer makes long inputs itself

# Bits of the first byte of `board_receive`, see src/board_receive.rs.
G1, JSON_LIBRARY, INSTANT_SERVOS = 0, {"6": 0, "7": 1 << 2}, 1 << 3
PAUSE = bytes([0, 30])  # an event: 30 ms


def text_bytes(text: str) -> bytes:
    """Strings of the traces are bytes, one character each."""
    return text.encode("latin-1")


def families() -> dict[str, list[dict]]:
    found = {}
    for path in sorted((DATA / "traces").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="ascii") as lines:
            found[path.name.split(".")[0]] = [json.loads(line) for line in lines]
    return found


def telling(cases: list[dict], key: str) -> list[dict]:
    """The cases with the most different texts under `key`: greedy, so that each adds something to those before it."""
    chosen, seen = [], set()
    left = [case for case in cases if case[key] and len(case[key]) <= LONGEST]
    while left and len(chosen) < CASES_A_FAMILY:
        def new(case: dict) -> int:
            text = case[key]
            return len({text[place : place + 4] for place in range(len(text) - 3)} - seen)

        best = max(left, key=new)
        if chosen and new(best) == 0:
            break
        seen |= {best[key][place : place + 4] for place in range(len(best[key]) - 3)}
        chosen.append(best)
        left.remove(best)
    return chosen


def with_requests(case: dict) -> dict:
    """The case with the texts of its requests, a line each, under `requests`."""
    for step in case["steps"]:
        step["requests"] = step["http_js"] + "\n" if "http_js" in step else ""
    return {**case, "requests": "".join(step["requests"] for step in case["steps"])}


def board_script(case: dict, key: str) -> bytes:
    """A case as a script for the virtual board; `key` says which text of each step goes in."""
    script = bytearray([G1 | JSON_LIBRARY[case["arduinojson"]] | INSTANT_SERVOS, 0])
    script += f'{{"T":605,"cmd":{case["infoprint"]}}}\n'.encode() + PAUSE
    for step in case["steps"]:
        # NUL introduces an event; a NUL of the input is doubled.
        script += text_bytes(step.get(key, "")).replace(b"\0", b"\0\0") + PAUSE
    return bytes(script)


def run_log_seeds() -> list[bytes]:
    """Each message of the fixture as mode 2 of `src/run_log.rs`, its first bytes as mode 0, and cuts of it as mode 1."""
    fixture = (HERE.parent / "tests" / "data" / "run_log" / "1.0.mcap").read_bytes()

    def records(data: bytes):
        place = 0
        while place + 9 <= len(data):
            length = int.from_bytes(data[place + 1 : place + 9], "little")
            yield data[place], data[place + 9 : place + 9 + length]
            place += 9 + length

    seeds = [bytes([0, 0, 0]) + fixture[:200]]
    seeds += [bytes([1]) + (cut * 65535 // 8).to_bytes(2, "little") for cut in range(9)]
    for code, body in records(fixture[8:]):
        if code == 0x06:  # a chunk: 32 bytes of head, the (empty) compression, the length of its records
            for inner, message in records(body[40:]):
                if inner == 0x05:  # a message: its channel, 20 bytes of head
                    seeds.append(bytes([2, message[0], 0]) + message[22:])
                elif inner == 0x04:
                    raw = bytes([inner]) + len(message).to_bytes(8, "little") + message
                    seeds.append(bytes([2, 0, 1]) + raw)
    return seeds


def write(target: str, seed: bytes) -> None:
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha256(seed).hexdigest()[:12]).write_bytes(seed)


def dataset_changes(set_number: int, file_number: int) -> bytes:
    """A file of a dataset, whole, cut, or with a byte changed near its beginning; see src/dataset.rs."""
    kept = [255, 255, 128, 255, 20][(set_number + file_number) % 5]
    script = bytes([set_number, file_number, kept])
    if (set_number + file_number) % 3 == 1:
        script += bytes([0, file_number * 7 % 256, 0xFF])
    if (set_number + file_number) % 3 == 2:
        script += bytes([file_number * 37 % 64, file_number * 91 % 256, file_number, 0, 40, 0])
    return script


def main() -> None:
    shutil.rmtree(SEEDS, ignore_errors=True)
    captures = [path.read_bytes() for path in sorted((DATA / "wire").glob("*.log"))]
    for capture in captures:
        write("splitter", bytes([6]) + capture)
        for line in capture.split(b"\n"):
            write("feedback_line", line)
    for name, cases in families().items():
        for case in telling(cases, "serial_out"):
            out = text_bytes(case["serial_out"])
            write("splitter", bytes([31]) + out)
            for line in out.split(b"\n")[:2]:
                write("feedback_line", line)
        for case in telling(cases, "input"):
            write("board_receive", board_script(case, "input"))
        if name == "http":
            for case in telling([with_requests(case) for case in cases], "requests"):
                write("http_js", board_script(case, "requests"))
        else:
            # What the port takes, the web server takes too.
            for case in telling(cases, "input")[:1]:
                write("http_js", board_script(case, "input"))
    for set_number in range(5):
        for file_number in range(0, 11, 2):
            write("dataset", dataset_changes(set_number, file_number))
    for seed in run_log_seeds():
        write("run_log", seed)
    for folder in sorted(SEEDS.iterdir()):
        files = list(folder.iterdir())
        print(f"{folder.name}: {len(files)} seeds, {sum(file.stat().st_size for file in files)} bytes")


if __name__ == "__main__":
    main()
