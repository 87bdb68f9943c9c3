"""What the graphs compute in: the choice, its limits, and what the files really hold.

The onnx package is imported only where graphs are rewritten: choices and limits are read without it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FLOAT32, FLOAT16, INT8 = "float32", "float16", "int8"
# `--dtype` -> `compute` in policy.json.
CHOICES = {"fp32": FLOAT32, "fp16": FLOAT16, "int8": INT8}

# Largest difference of a z-score to PyTorch, and the mean of all absolute differences where one is demanded.
Z_SCORE_LIMITS = {FLOAT32: 1e-4, FLOAT16: 2e-2, INT8: 1e-1}
Z_SCORE_MEAN_LIMITS = {INT8: 3e-2}


def parity_limits(compute: str, action_std: np.ndarray) -> dict[str, float]:
    """`limits` of parity.json: largest absolute differences to PyTorch. `chunk` is in dataset units (degrees)."""
    z_score = Z_SCORE_LIMITS[compute]
    # A degree is a z-score times the joint's spread; float32 adds the rounding of angles up to 180.
    chunk = 5e-3 if compute == FLOAT32 else round(z_score * float(action_std.max()) + 1e-3, 4)
    limits = {"state_norm": 1e-5, "pixels": 1e-5, "chunk_norm": z_score, "chunk": chunk}
    return limits | ({"chunk_norm_mean": Z_SCORE_MEAN_LIMITS[compute]} if compute in Z_SCORE_MEAN_LIMITS else {})


def convert_graphs(folder: Path, policy: dict, compute: str) -> None:
    """Rewrites the float32 graphs in `folder`; `policy` is the content of policy.json."""
    import onnx

    from .dynamic_int8 import write_dynamic_int8
    from .half_precision import to_half_precision

    for graph in policy["graphs"].values():
        path = folder / graph["file"]
        if compute == FLOAT16:
            model = to_half_precision(onnx.load(path))
            onnx.checker.check_model(model)
            onnx.save(model, path)
        elif compute == INT8:
            write_dynamic_int8(onnx.load(path), path)


def describe_precision(folder: Path, policy: dict, compute: str) -> None:
    """Adds to the content of policy.json what the graphs compute in, and the element types of the weights that the files hold."""
    policy["compute"] = compute
    for graph in policy["graphs"].values():
        graph["weight_bytes"] = weight_bytes(folder / graph["file"])


def weight_bytes(path: Path) -> dict[str, int]:
    """Bytes of a graph's constants by element type."""
    import onnx
    from onnx import helper

    found: dict[str, int] = {}
    for tensor in onnx.load(path).graph.initializer:
        dtype = helper.tensor_dtype_to_np_dtype(tensor.data_type)
        found[dtype.name] = found.get(dtype.name, 0) + int(np.prod(tensor.dims, dtype=np.int64)) * dtype.itemsize
    return dict(sorted(found.items()))
