"""Rewrites a float32 graph so that its large products run in float16. Inputs and outputs stay float32.

What is rounded: weights of the transformers' projections, of the patch convolution and the connector, the token embedding; their
inputs, biases and outputs; the activations between two of them (GELU, SiLU); attention probabilities and values, and in the vision
encoder queries and keys.

What stays float32, and why:

* the residual stream, normalisation and softmax: sums over a thousand values and exponentials lose several of float16's 11 bits
* rotary angles, sines and cosines: position 200 divided by a period has no place in 11 bits; queries and keys after the rotation and
  their product too, as LeRobot itself does in bfloat16
* the time embedding and the projections of state, actions and time, which carry the numbers that come out: under 2 % of the weights
* inputs and outputs, including the key/value cache: the runtime binds the same memory for every bundle, and a product with a
  constant above 1 could leave float16's range
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .errors import ExportError

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16

# Linear layers whose weights stay float32, by the name of their bias.
KEPT_LAYERS = ("state_proj", "action_in_proj", "action_out_proj", "action_time_mlp_in", "action_time_mlp_out")

PRODUCTS = ("MatMul", "Gemm", "Conv")
# These move values; they keep the type of what they move.
MOVING = ("Reshape", "Transpose", "Unsqueeze", "Expand", "Split")
ELEMENTWISE = ("Add", "Mul", "Gelu", "Sigmoid")


def kept_products(graph: onnx.GraphProto) -> set[str]:
    """Outputs of the products that belong to `KEPT_LAYERS`."""
    producer = {output: node for node in graph.node for output in node.output}
    kept = set()
    for node in graph.node:
        if any(name.endswith(f"{layer}.bias") for name in node.input for layer in KEPT_LAYERS):
            kept |= {node.output[0]} if node.op_type == "Gemm" else {name for name in node.input if name in producer}
    return kept


def to_half_precision(model: onnx.ModelProto) -> onnx.ModelProto:
    """Changes `model` in place. Raises `ExportError` if a weight does not fit into float16."""
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer if tensor.data_type == FLOAT}
    typed = {tensor.name: tensor.data_type for tensor in graph.initializer}
    typed |= {value.name: value.type.tensor_type.elem_type for value in (*graph.input, *graph.value_info, *graph.output)}
    kept = kept_products(graph)
    nodes, casts, halves = [], {}, {}

    def as_type(name: str, wanted: int) -> str:
        """The value `name` as `wanted`, through one shared cast; constants are converted now."""
        if name in constants and wanted == HALF:
            halves.setdefault(name, f"{name}_float16")
            return halves[name]
        if typed.get(name) in (wanted, None) or typed[name] not in (FLOAT, HALF):
            return name
        if (name, wanted) not in casts:
            cast = f"{name}_as_{'float16' if wanted == HALF else 'float32'}"
            nodes.append(helper.make_node("Cast", [name], [cast], name=f"cast_{cast}", to=wanted))
            casts[name, wanted] = cast
        return casts[name, wanted]

    outputs = {value.name for value in graph.output}
    for node in graph.node:
        kind = node_type(node, typed, constants, kept)
        for index, name in enumerate(node.input):
            if name and typed.get(name) in (FLOAT, HALF):
                node.input[index] = as_type(name, kind)
        nodes.append(node)
        for index, name in enumerate(node.output):
            if typed[name] != FLOAT or kind == FLOAT:
                continue
            typed[name] = HALF
            if name in outputs:
                node.output[index] = inner = f"{name}_inner"
                nodes.append(helper.make_node("Cast", [inner], [name], name=f"cast_{name}", to=FLOAT))
                typed[name], typed[inner] = FLOAT, HALF

    del graph.node[:]
    graph.node.extend(nodes)
    for name, half in halves.items():
        graph.initializer.append(round_constant(constants[name], half))
    used = {name for node in graph.node for name in node.input} | outputs
    remaining = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(remaining)
    # Types of values between the nodes: wrong now, and optional.
    del graph.value_info[:]
    return model


def node_type(node: onnx.NodeProto, typed: dict[str, int], constants: dict[str, TensorProto], kept: set[str]) -> int:
    """`HALF` or `FLOAT`: what a node's float inputs have to be."""
    floats = [name for name in node.input if typed.get(name) in (FLOAT, HALF)]
    values = [name for name in floats if name not in constants]
    halves = [name for name in values if typed[name] == HALF]
    if node.op_type in PRODUCTS:
        weighted = len(values) < len(floats)
        half = node.output[0] not in kept if weighted else bool(halves)
    elif node.op_type == "Gather" and node.input[0] in constants:
        half = True
    elif node.op_type in MOVING:
        half = typed.get(node.input[0]) == HALF
    elif node.op_type in ELEMENTWISE:
        # A sum of two computed values is the residual stream; a constant with more than one dimension is the position embedding.
        sum_of_two = node.op_type == "Add" and len(values) > 1
        harmless = all(np.abs(numpy_helper.to_array(constants[name])).max() <= 1 for name in floats if name in constants)
        small = all(len(constants[name].dims) <= 1 for name in floats if name in constants)
        half = len(halves) == len(values) > 0 and not sum_of_two and small and (harmless or node.op_type == "Add")
    else:
        half = False
    return HALF if half else FLOAT


def round_constant(tensor: TensorProto, name: str) -> TensorProto:
    values = numpy_helper.to_array(tensor)
    if np.abs(values).max(initial=0.0) > np.finfo(np.float16).max:
        raise ExportError(
            f"a weight of {np.abs(values).max():.1e} does not fit into float16",
            "export with --dtype fp32",
        )
    return numpy_helper.from_array(values.astype(np.float16), name)
