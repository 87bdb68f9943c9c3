"""Rewrites a float32 graph so that a processor multiplies its weights in 8 bits. Inputs and outputs stay float32.

Dynamic quantisation: weights are int8 with one scale a column, activations are rounded to uint8 with one scale a tensor when the graph
runs, products are summed in int32 (`MatMulInteger`). For processors only: ONNX Runtime's CUDA provider has no such kernel.

Weight-only quantisation (`MatMulNBits`, 8 bits, blocks of 64) was measured beside it: closer to float32, and no faster than float32
on a processor with AVX512-VNNI.

Weights use 7 of the 8 bits: processors with AVX2 and no VNNI add two products in 16 bits, which 8-bit weights would overflow
without a word. The token embedding is looked up, not multiplied: it becomes float16.

What stays float32: the connector at the end of the vision encoder, which sums 12,288 values that share one scale (quantised, it makes
half of the error of a chunk; it is 6 % of the multiplied weights and 1 % of the time); what `half_precision.KEPT_LAYERS` names; and everything that is no
product with a weight.
"""

from __future__ import annotations

import logging
from pathlib import Path

import onnx
from onnx import TensorProto, helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from .half_precision import kept_products, round_constant


def write_dynamic_int8(model: onnx.ModelProto, path: Path) -> None:
    """Writes the quantised graph to `path`. Changes `model`."""
    halve_embedding(model.graph)
    # The types that PyTorch noted contradict those that the quantiser infers.
    del model.graph.value_info[:]
    kept = kept_products(model.graph) | connector(model.graph)
    # It recommends a preparation that the exporter's optimiser has done.
    logging.getLogger().setLevel(logging.ERROR)
    quantize_dynamic(
        model,
        path,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[node.name for node in model.graph.node if kept.intersection(node.output)],
        extra_options={"MatMulConstBOnly": True},
    )


def connector(graph: onnx.GraphProto) -> set[str]:
    """Output of the vision encoder's last product with a weight, which makes image tokens; nothing in the other graphs."""
    if graph.output[0].name != "img_emb":
        return set()
    constants = {tensor.name for tensor in graph.initializer}
    return {[node for node in graph.node if node.op_type == "MatMul" and node.input[1] in constants][-1].output[0]}


def halve_embedding(graph: onnx.GraphProto) -> None:
    """Tables that a graph looks rows up in become float16, and the rows float32 again."""
    constants = {tensor.name: tensor for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT}
    nodes = []
    for node in graph.node:
        nodes.append(node)
        if node.op_type == "Gather" and node.input[0] in constants:
            table = constants[node.input[0]]
            table.CopyFrom(round_constant(table, table.name))
            output, node.output[0] = node.output[0], f"{node.output[0]}_float16"
            nodes.append(helper.make_node("Cast", [node.output[0]], [output], name=f"cast_{output}", to=TensorProto.FLOAT))
    del graph.node[:]
    graph.node.extend(nodes)
