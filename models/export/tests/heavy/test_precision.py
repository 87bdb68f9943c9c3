"""float16 and int8: exported from a checkpoint, converted from a bundle, judged by LeRobot's float32 numbers in the fixture."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

from locations import BUNDLE, CHECKPOINT, TINY, TWO_CAMERAS
from roarm_export import precision
from roarm_export.__main__ import main
from roarm_export.errors import ExportError
from roarm_export.export import Request, export
from roarm_export.graph_runner import run_graphs
from roarm_export.half_precision import to_half_precision
from roarm_export.parity import check_graphs
from two_cameras import TASK, make_checkpoint

SHIPPED = {"float16": TINY.parent / "smolvla_float16", "int8": TINY.parent / "smolvla_int8"}
LIMITS = {"float16": (2e-2, 2e-2), "int8": (1e-1, 3e-2)}


def read(bundle: Path, name: str = "policy.json") -> dict:
    return json.loads((bundle / name).read_text())


def deviation(bundle: Path) -> tuple[float, float]:
    fixture = load_file(bundle / "parity.safetensors")
    found = np.abs(run_graphs(bundle, read(bundle), fixture)["chunk_norm"] - fixture["chunk_norm"])
    return float(found.max()), float(found.mean())


@pytest.mark.parametrize("dtype", ["fp16", "int8"])
@pytest.mark.parametrize("source", [BUNDLE, TWO_CAMERAS])
def test_a_converted_bundle_is_whole_and_within_its_limits(tmp_path, source, dtype):
    out = tmp_path / "bundle"
    assert main([str(source), "--out", str(out), "--dtype", dtype]) == 0
    compute = precision.CHOICES[dtype]
    largest, mean = deviation(out)
    assert 1e-5 < largest <= LIMITS[compute][0] and mean <= LIMITS[compute][1]
    policy, before = read(out), read(source)
    assert policy["compute"] == compute and policy["provenance"] == before["provenance"]
    for name, graph in policy["graphs"].items():
        # Inputs and outputs stay as they are.
        assert graph["inputs"] == before["graphs"][name]["inputs"] and graph["outputs"] == before["graphs"][name]["outputs"]
        assert graph["weight_bytes"] == precision.weight_bytes(out / graph["file"])
    size, size_before = (sum((bundle / graph["file"]).stat().st_size for graph in policy["graphs"].values()) for bundle in (out, source))
    assert size < 0.6 * size_before
    assert (out / "parity.safetensors").read_bytes() == (source / "parity.safetensors").read_bytes()


@pytest.mark.parametrize("dtype", ["fp16", "int8"])
def test_the_shipped_small_bundles_are_made_again(tmp_path, dtype):
    out = tmp_path / "bundle"
    export(Request(make_checkpoint(tmp_path), out, task=TASK, fps=30, dtype=dtype), lambda _: None)
    shipped = SHIPPED[precision.CHOICES[dtype]]
    ours, theirs = read(out), read(shipped)
    for policy in (ours, theirs):
        policy["provenance"].pop("created")
        policy["provenance"].pop("packages")
    assert ours == theirs
    assert read(out, "parity.json") == read(shipped, "parity.json")
    expected = load_file(shipped / "parity.safetensors")
    for name, array in load_file(out / "parity.safetensors").items():
        assert np.abs(array.astype(np.float64) - expected[name]).max() <= (1e-3 if name == "chunk" else 1e-4), name


@pytest.mark.parametrize("compute", LIMITS)
def test_limits_are_the_contracts(compute):
    limits = read(SHIPPED[compute], "parity.json")["limits"]
    std = load_file(SHIPPED[compute] / "normalization.safetensors")["action.std"]
    assert limits == precision.parity_limits(compute, std)
    assert limits["chunk_norm"] == LIMITS[compute][0]
    assert limits.get("chunk_norm_mean") == (LIMITS[compute][1] if compute == "int8" else None)
    assert limits["chunk"] == pytest.approx(limits["chunk_norm"] * std.max(), abs=2e-3)


def types(path: Path) -> tuple[onnx.GraphProto, dict[str, int]]:
    graph = onnx.shape_inference.infer_shapes(onnx.load(path), strict_mode=True).graph
    known = {tensor.name: tensor.data_type for tensor in graph.initializer}
    return graph, known | {value.name: value.type.tensor_type.elem_type for value in (*graph.input, *graph.value_info, *graph.output)}


@pytest.mark.parametrize("name", ["vision", "prefix", "denoise"])
def test_what_must_stay_float32_does(name):
    graph, known = types(SHIPPED["float16"] / f"{name}.onnx")
    for node in graph.node:
        if node.op_type in ("Softmax", "LayerNormalization", "Pow", "ReduceMean", "Sqrt", "Reciprocal", "Sin", "Cos", "Div", "Where"):
            assert all(known[name] != TensorProto.FLOAT16 for name in (*node.input, *node.output)), node.name
    large = [tensor for tensor in graph.initializer if np.prod(tensor.dims) > 32 * 64 and tensor.data_type == TensorProto.FLOAT]
    kept = {"vision": 0, "prefix": 0, "denoise": 2}[name]
    assert len(large) <= kept, [tensor.name for tensor in large]
    assert all(known[value.name] != TensorProto.FLOAT16 for value in (*graph.input, *graph.output))


@pytest.mark.parametrize("name", ["vision", "prefix", "denoise"])
def test_int8_multiplies_in_int8(name):
    graph, known = types(SHIPPED["int8"] / f"{name}.onnx")
    products = [node for node in graph.node if node.op_type == "MatMulInteger"]
    assert len(products) > 5 and all(known[node.input[1]] == TensorProto.INT8 for node in products)
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    # 7 bits: two products fit into the 16 bits of AVX2.
    assert max(int(np.abs(weights[node.input[1]].astype(int)).max()) for node in products) <= 64
    if name == "vision":
        # The connector.
        assert [node.op_type for node in graph.node if node.op_type == "MatMul" and node.input[1] in weights] == ["MatMul"]
    if name == "prefix":
        (lookup,) = [node for node in graph.node if node.op_type == "Gather" and node.input[0] in weights]
        assert weights[lookup.input[0]].dtype == np.float16


def test_a_weight_beyond_float16_is_refused():
    weight = numpy_helper.from_array(np.full((2, 2), 7e4, np.float32), "w")
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", values[:1], values[1:], [weight])
    with pytest.raises(ExportError, match="7.0e.04 does not fit into float16"):
        to_half_precision(helper.make_model(graph))


def test_beyond_the_limits_nothing_is_written(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(precision.Z_SCORE_MEAN_LIMITS, "int8", 1e-4)
    assert main([str(TWO_CAMERAS), "--out", str(tmp_path / "bundle"), "--dtype", "int8"]) == 1
    message = capsys.readouterr().err
    assert "in the mean (limit 1e-04)" in message and "fix: " in message
    assert list(tmp_path.iterdir()) == []


def test_a_chunk_beyond_the_largest_difference_is_refused():
    fixture = load_file(SHIPPED["int8"] / "parity.safetensors")
    with pytest.raises(ExportError, match="differ from PyTorch"):
        check_graphs(SHIPPED["int8"], read(SHIPPED["int8"]), fixture, (), {"chunk_norm": 1e-3})


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ([str(SHIPPED["int8"]), "--dtype", "fp16"], "computes in int8"),
        ([str(BUNDLE)], "asks for float32"),
        ([str(BUNDLE), "--dtype", "int8", "--fps", "30"], "no option but --out and --dtype"),
    ],
)
def test_what_cannot_be_converted(capsys, tmp_path, arguments, cause):
    assert main([*arguments, "--out", str(tmp_path / "bundle")]) == 1
    message = capsys.readouterr().err
    assert cause in message and "fix: " in message
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_bundle_is_not_converted(capsys, tmp_path):
    source = shutil.copytree(BUNDLE, tmp_path / "source")
    graph = bytearray((source / "vision.onnx").read_bytes())
    graph[len(graph) // 2] ^= 1
    (source / "vision.onnx").write_bytes(graph)
    assert main([str(source), "--out", str(tmp_path / "bundle"), "--dtype", "fp16"]) == 1
    assert "vision.onnx is not what SHA256SUMS says" in capsys.readouterr().err


def test_an_unknown_dtype(capsys, tmp_path):
    with pytest.raises(SystemExit):
        main([str(CHECKPOINT), "--out", str(tmp_path / "bundle"), "--dtype", "bf16"])
    assert "fp16" in capsys.readouterr().err
