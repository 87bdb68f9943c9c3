"""A float32 bundle -> the same policy in float16 or int8. Needs no PyTorch: the bundle carries what PyTorch computed."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from safetensors.numpy import load_file

from .bundle import BUNDLE_FILES, CHECKSUMS, FORMAT, FORMAT_VERSION, check_out, put_in_place, write_checksums, write_json
from .errors import ExportError
from .parity import check_graphs
from .precision import CHOICES, FLOAT32, convert_graphs, describe_precision, parity_limits
from .real_time_chunking import Guidance


def is_bundle(folder: Path) -> bool:
    return (folder / "policy.json").is_file()


def convert(source: Path, out: Path, dtype: str, report: Callable[[str], None]) -> dict[str, float]:
    """Writes the bundle and returns the largest differences between its graphs and PyTorch by name.

    Raises `ExportError`; `out` is then as it was before."""
    compute = CHOICES[dtype]
    policy, parity = read_bundle(source)
    if policy.get("compute", FLOAT32) != FLOAT32 or compute == FLOAT32:
        raise ExportError(
            f"{source} computes in {policy.get('compute', FLOAT32)}, --dtype {dtype} asks for {compute}",
            "pass a float32 bundle with --dtype fp16 or int8, or the checkpoint",
        )
    if out.exists() and out.resolve() == source.resolve():
        raise ExportError("--out is the bundle to convert", "name another folder, or export the checkpoint again")
    check_out(out)
    fixture = load_file(source / "parity.safetensors")
    action_std = load_file(source / "normalization.safetensors")["action.std"]
    guided = tuple(
        Guidance(**case, previous=fixture[f"real_time_chunking.{index}.previous"])
        for index, case in enumerate(parity.get("real_time_chunking", []))
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        for name in BUNDLE_FILES:
            shutil.copyfile(source / name, work / name)
        report(f"converting to {compute}")
        convert_graphs(work, policy, compute)
        parity["limits"] = parity_limits(compute, action_std)
        differences = check_graphs(work, policy, fixture, guided, parity["limits"])
        describe_precision(work, policy, compute)
        policy["format_version"] = FORMAT_VERSION
        write_json(work / "policy.json", policy)
        write_json(work / "parity.json", parity)
        write_checksums(work)
        put_in_place(work, out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return differences


def read_bundle(source: Path) -> tuple[dict, dict]:
    """The contents of policy.json and parity.json of a whole bundle."""
    again = "copy the bundle again, or export the checkpoint"
    try:
        listed = dict(reversed(line.split("  ", 1)) for line in (source / CHECKSUMS).read_text().splitlines())
        for name in BUNDLE_FILES:
            with (source / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != listed.get(name):
                    raise ExportError(f"{source / name} is not what {CHECKSUMS} says", again)
        policy, parity = (json.loads((source / name).read_text()) for name in ("policy.json", "parity.json"))
    except (OSError, ValueError) as error:
        raise ExportError(f"{source} is no whole bundle: {error}", again) from None
    major = str(policy.get("format_version")).split(".")[0]
    if policy.get("format") != FORMAT or major != FORMAT_VERSION.split(".")[0]:
        raise ExportError(f"{source / 'policy.json'} is of another format", "export the checkpoint with this release")
    return policy, parity
