"""`policy.onnx`: a whole chunk as one graph. Made of the three graphs of a bundle; needs no PyTorch.

    pixels.N f32 (1,3,h,w) a camera, lang_tokens, lang_masks, state, noise f32 (1,H,A),
    previous f32 (1,H,A), previous_weights f32 (1,H,1), guidance_weights f32 (steps)
    -> actions f32 (1,H,A), estimate f32 (1,H,A)

Vision is in it once a camera, the prefix once, denoise once a flow step, each step corrected as real-time chunking does: with weights of zero the
correction is zero. `estimate` is what the policy itself made of the last step. Times, their embeddings and the mask of cameras are constants.

The weights stay where they are: each constant of `policy.onnx` is ONNX external data that points into `vision.onnx`, `prefix.onnx` or
`denoise.onnx`. It has a few megabytes, and none of its own weights can differ from theirs.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from .bundle import FUSED_FILE, FUSED_FORMAT_VERSION
from .errors import ExportError
from .graph_runner import flow_times, time_embedding

FUSED = "fused"
# Smaller constants are copied: where they are must not be looked up, and fusions of ONNX Runtime read them.
SMALLEST_REFERENCE = 1024
# Field numbers of onnx.proto.
MODEL_GRAPH, GRAPH_INITIALIZER, TENSOR_NAME, TENSOR_RAW_DATA = 7, 5, 8, 9


def write_fused(folder: Path, policy: dict) -> None:
    """Writes `policy.onnx` beside the bundle's three graphs and describes it in `policy`, the content of policy.json."""
    cameras, flow = policy["cameras"], policy["flow"]
    builder = Builder(folder, policy["graphs"])
    seen = [builder.copy("vision", f"vision{slot}", {"pixels": f"pixels.{slot}"})["img_emb"] for slot in range(len(cameras["slots"]))]
    tokens, width = cameras["tokens_per_image"], policy["prefix"]["hidden"]
    real, places = len(seen), len(seen) + cameras["empty"]
    if cameras["empty"]:
        seen.append(builder.constant("empty_cameras", np.zeros((1, cameras["empty"] * tokens, width), np.float32)))
    img_pad = np.zeros((1, places * tokens), bool)
    img_pad[:, : real * tokens] = True
    language = {name: name for name in ("lang_tokens", "lang_masks", "state")}
    images = {"img_emb": builder.node("Concat", seen, axis=1), "img_pad": builder.constant("img_pad", img_pad)}
    cache = builder.copy("prefix", "prefix", images | language)

    steps = flow["steps"]
    weights = builder.split("guidance_weights", steps)
    actions, estimate = "noise", "noise"
    step_length = builder.constant("step_length", np.float32(-1.0 / steps))
    for step, time in enumerate(flow_times(steps)):
        embedding = time_embedding(np.float32(time), flow["time_embedding_dim"], flow["min_period"], flow["max_period"])
        inputs = {"x_t": actions, "time_emb": builder.constant(f"time_embedding{step}", embedding)}
        velocity = builder.copy("denoise", f"step{step}", inputs | cache)["v_t"]
        time_now = builder.constant(f"time{step}", np.float32(time))
        estimate = builder.node("Sub", [actions, builder.node("Mul", [time_now, velocity])])
        error = builder.node("Mul", [builder.node("Sub", ["previous", estimate]), "previous_weights"])
        guided = builder.node("Sub", [velocity, builder.node("Mul", [weights[step], error])])
        actions = builder.node("Add", [actions, builder.node("Mul", [step_length, guided])])
    builder.node("Identity", [actions], output="actions")
    builder.node("Identity", [estimate], output="estimate")
    policy["graphs"][FUSED] = description(policy)
    policy["format_version"] = FUSED_FORMAT_VERSION
    builder.save(folder / FUSED_FILE, policy["graphs"][FUSED])


def description(policy: dict) -> dict:
    """The entry of policy.json."""
    graphs, slots = policy["graphs"], policy["cameras"]["slots"]
    shapes = {tensor["name"]: tensor for tensor in graphs["prefix"]["inputs"] + graphs["denoise"]["inputs"]}
    (pixels,) = graphs["vision"]["inputs"]
    chunk = shapes["x_t"]["shape"]

    def tensor(name: str, shape: list[int]) -> dict:
        return {"name": name, "dtype": "float32", "shape": shape}

    return {
        "file": FUSED_FILE,
        "inputs": [
            *(tensor(f"pixels.{slot}", pixels["shape"]) for slot in range(len(slots))),
            *(shapes[name] for name in ("lang_tokens", "lang_masks", "state")),
            tensor("noise", chunk),
            tensor("previous", chunk),
            tensor("previous_weights", [1, chunk[1], 1]),
            tensor("guidance_weights", [policy["flow"]["steps"]]),
        ],
        "outputs": [tensor("actions", chunk), tensor("estimate", chunk)],
    }


class Builder:
    """Nodes and constants of the fused graph. Names of copied values begin with the name of their copy."""

    def __init__(self, folder: Path, graphs: dict):
        self.models = {name: onnx.load(folder / graphs[name]["file"]) for name in ("vision", "prefix", "denoise")}
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []
        self.opsets: dict[str, int] = {}
        for name, model in self.models.items():
            self.adopt(name, model, folder / graphs[name]["file"])

    def adopt(self, name: str, model: onnx.ModelProto, path: Path) -> None:
        """Takes a graph's constants over, once however often it is copied."""
        if model.functions or any(attribute.type == AttributeProto.GRAPH for node in model.graph.node for attribute in node.attribute):
            raise ExportError(f"{path.name} has functions or nested graphs, which cannot be fused", "export the checkpoint again without --fused")
        for opset in model.opset_import:
            if self.opsets.setdefault(opset.domain, opset.version) != opset.version:
                raise ExportError(f"{path.name} is of another opset than the other graphs", "export the checkpoint again")
        places = raw_data_places(path)
        for tensor in model.graph.initializer:
            reference = TensorProto()
            if tensor.name in places and places[tensor.name][1] >= SMALLEST_REFERENCE:
                offset, length = places[tensor.name]
                reference.dims.extend(tensor.dims)
                reference.data_type, reference.data_location = tensor.data_type, TensorProto.EXTERNAL
                for key, value in (("location", path.name), ("offset", offset), ("length", length)):
                    reference.external_data.add(key=key, value=str(value))
            else:
                reference.CopyFrom(tensor)
            reference.name = f"{name}/{tensor.name}"
            self.constants.append(reference)

    def copy(self, name: str, copy: str, inputs: dict[str, str]) -> dict[str, str]:
        """Adds a graph's nodes with `inputs` in place of its inputs; returns what its outputs are called."""
        graph = self.models[name].graph
        names = {"": ""} | {tensor.name: f"{name}/{tensor.name}" for tensor in graph.initializer}
        names |= {value.name: inputs[value.name] for value in graph.input}
        for node in graph.node:
            copied = onnx.NodeProto()
            copied.CopyFrom(node)
            copied.name = f"{copy}/{node.name}"
            names |= {output: f"{copy}/{output}" for output in node.output if output}
            copied.input[:] = [names[value] for value in node.input]
            copied.output[:] = [names[value] for value in node.output]
            self.nodes.append(copied)
        return {value.name: names[value.name] for value in graph.output}

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value), f"fused/{name}"))
        return f"fused/{name}"

    def node(self, operator: str, inputs: list[str], output: str | None = None, **attributes) -> str:
        name = f"fused/{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output or name], name=name, **attributes))
        return output or name

    def split(self, value: str, parts: int) -> list[str]:
        """The elements of a vector."""
        outputs = [f"fused/{value}{part}" for part in range(parts)]
        self.nodes.append(helper.make_node("Split", [value], outputs, name=f"fused/split_{value}", axis=0, num_outputs=parts))
        return outputs

    def save(self, path: Path, described: dict) -> None:
        kinds = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "bool": TensorProto.BOOL}
        inputs, outputs = (
            [helper.make_tensor_value_info(tensor["name"], kinds[tensor["dtype"]], tensor["shape"]) for tensor in described[side]]
            for side in ("inputs", "outputs")
        )
        graph = helper.make_graph(self.nodes, "policy", inputs, outputs, self.constants)
        opsets = [helper.make_opsetid(domain, version) for domain, version in self.opsets.items()]
        ir_version = max(model.ir_version for model in self.models.values())
        path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=ir_version).SerializeToString())
        onnx.checker.check_model(str(path))


def raw_data_places(path: Path) -> dict[str, tuple[int, int]]:
    """Where the values of an ONNX file's constants are in it: name -> (offset, length). Those that are not stored raw are left out."""
    places = {}
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for graph in fields(data, 0, len(data), MODEL_GRAPH):
            for tensor in fields(data, *graph, GRAPH_INITIALIZER):
                for offset, end in fields(data, *tensor, TENSOR_RAW_DATA):
                    ((start, stop),) = fields(data, *tensor, TENSOR_NAME)
                    places[data[start:stop].decode()] = (offset, end - offset)
    return places


def fields(data: mmap.mmap, position: int, end: int, wanted: int) -> Iterator[tuple[int, int]]:
    """Start and end of every length-delimited field of this number in the protobuf message at `position`."""

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < end:
        key = varint()
        number, kind = key >> 3, key & 7
        if kind == 0:
            varint()
        elif kind in (1, 5):
            position += 8 if kind == 1 else 4
        elif kind == 2:
            length = varint()
            if number == wanted:
                yield position, position + length
            position += length
        else:
            raise ExportError("an ONNX file holds a protobuf group", "export the checkpoint again")
