"""Transformer layers for inference: LeRobot's numbers and weights with fewer and faster operations.

What differs from LeRobot's and transformers' own forward methods, and what it saves on a processor:

* query, key and value are one product (`merged`)
* the width between an MLP's two products is never a multiple of 4096 bytes (`widened`): rows at such a distance share their cache lines' places,
  and a product is a tenth slower
* image attention goes over a few heads at a time: all scores of a 512x512 image at once are 50 MB, which are mapped and zeroed anew for each layer
* the three queries that share a key head are one matrix, in place of copies of keys and values for each
* masks are added, and made once for all layers; angles are made once too
* root mean square normalisation is written as the pattern that ONNX Runtime fuses into one operation
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Distance of two rows, in bytes, whose cache lines compete for one place.
ALIASING_BYTES = 4096
# Float32 values that make a cache line.
LINE = 16
# Scores of one step of image attention.
SCORES_BYTES = 8 << 20


def merged(*layers: nn.Linear) -> nn.Linear:
    """One linear layer whose output is the outputs of `layers`, one after another."""
    first, width = layers[0], sum(layer.out_features for layer in layers)
    result = nn.Linear(first.in_features, width, bias=first.bias is not None)
    result.weight = nn.Parameter(torch.cat([layer.weight for layer in layers]), requires_grad=False)
    if first.bias is not None:
        result.bias = nn.Parameter(torch.cat([layer.bias for layer in layers]), requires_grad=False)
    return result


def widened(before: list[nn.Linear], after: nn.Linear) -> tuple[list[nn.Linear], nn.Linear]:
    """The same layers with a cache line of zeros more between `before` and `after`, where their width needs it."""
    if (after.in_features * 4) % ALIASING_BYTES:
        return before, after

    def grown(tensor: Tensor, dim: int) -> nn.Parameter:
        zeros = tensor.new_zeros([LINE if index == dim else size for index, size in enumerate(tensor.shape)])
        return nn.Parameter(torch.cat([tensor, zeros], dim=dim), requires_grad=False)

    wide = []
    for layer in before:
        new = nn.Linear(layer.in_features, layer.out_features + LINE, bias=layer.bias is not None)
        new.weight = grown(layer.weight, 0)
        if layer.bias is not None:
            new.bias = grown(layer.bias, 0)
        wide.append(new)
    narrow = nn.Linear(after.in_features + LINE, after.out_features, bias=after.bias is not None)
    narrow.weight, narrow.bias = grown(after.weight, 1), after.bias
    return wide, narrow


class VisionLayer(nn.Module):
    """A layer of the image encoder: (1, patches, width) -> the same."""

    def __init__(self, layer: nn.Module, patches: int):
        super().__init__()
        attention, mlp = layer.self_attn, layer.mlp
        self.attention_norm, self.mlp_norm = layer.layer_norm1, layer.layer_norm2
        self.project = merged(attention.q_proj, attention.k_proj, attention.v_proj)
        self.out = attention.out_proj
        (self.up,), self.down = widened([mlp.fc1], mlp.fc2)
        self.activation = mlp.activation_fn
        self.heads, self.head_dim, self.scale = attention.num_heads, attention.head_dim, attention.scale
        fitting = max(1, SCORES_BYTES // (4 * patches * patches))
        self.at_once = max(size for size in range(1, self.heads + 1) if self.heads % size == 0 and size <= fitting)

    def forward(self, hidden: Tensor) -> Tensor:
        rows = hidden.shape[1]
        projected = self.project(self.attention_norm(hidden)).view(rows, 3 * self.heads, self.head_dim).transpose(0, 1)
        parts = projected.split(self.at_once)
        count = len(parts) // 3
        seen = [
            torch.softmax(query @ key.transpose(1, 2) * self.scale, dim=-1) @ value
            for query, key, value in zip(parts[:count], parts[count : 2 * count], parts[2 * count :], strict=True)
        ]
        seen = torch.cat(seen) if count > 1 else seen[0]
        hidden = hidden + self.out(seen.transpose(0, 1).reshape(1, rows, self.heads * self.head_dim))
        return hidden + self.down(self.activation(self.up(self.mlp_norm(hidden))))


class Rotation:
    """Rotary embedding of one set of positions (1, rows), as LeRobot's `apply_rope`: wavelengths up to 10,000 whatever the model's config says."""

    def __init__(self, positions: Tensor, head_dim: int, max_wavelength: int = 10_000):
        self.half = head_dim // 2
        timescale = max_wavelength ** ((2.0 / head_dim) * torch.arange(self.half, dtype=torch.float32))
        radians = (positions[..., None].to(torch.float32) / timescale[None, None, :])[..., None, :]
        sin, cos = torch.sin(radians), torch.cos(radians)
        self.cos, self.sin = torch.cat([cos, cos], dim=-1), torch.cat([-sin, sin], dim=-1)

    def __call__(self, x: Tensor) -> Tensor:
        """`x` is (1, rows, heads, head_dim)."""
        swapped = torch.cat([x[..., self.half :], x[..., : self.half]], dim=-1)
        return x * self.cos + swapped * self.sin


def mask_to_bias(mask: Tensor) -> Tensor:
    """What is added to scores: 0 where `mask`, else the least float32, as LeRobot puts there."""
    return torch.where(mask, torch.tensor(0.0), torch.tensor(torch.finfo(torch.float32).min))


class TextLayer(nn.Module):
    """A layer of the language model or of the action expert: (1, rows, width) -> the same."""

    def __init__(self, layer: nn.Module, heads: int, kv_heads: int, cross: bool):
        super().__init__()
        attention, mlp = layer.self_attn, layer.mlp
        self.attention_norm, self.mlp_norm = layer.input_layernorm, layer.post_attention_layernorm
        self.project = attention.q_proj if cross else merged(attention.q_proj, attention.k_proj, attention.v_proj)
        self.out = attention.o_proj
        (self.gate, self.up), self.down = widened([mlp.gate_proj, mlp.up_proj], mlp.down_proj)
        self.activation = mlp.act_fn
        self.heads, self.kv_heads, self.head_dim = heads, kv_heads, attention.head_dim

    def queries(self, hidden: Tensor, rotation: Rotation) -> Tensor:
        """(1, rows, heads, head_dim), for a layer that attends to others' keys."""
        projected = self.project(rms_norm(self.attention_norm, hidden))
        return rotation(projected.view(1, hidden.shape[1], self.heads, self.head_dim))

    def queries_keys_values(self, hidden: Tensor, rotation: Rotation) -> tuple[Tensor, Tensor, Tensor]:
        """(1, rows, heads, head_dim), and keys and values of (1, rows, kv_heads, head_dim)."""
        projected = self.project(rms_norm(self.attention_norm, hidden))
        projected = projected.view(1, hidden.shape[1], self.heads + 2 * self.kv_heads, self.head_dim)
        rotated, values = projected.split([self.heads + self.kv_heads, self.kv_heads], dim=2)
        queries, keys = rotation(rotated).split([self.heads, self.kv_heads], dim=2)
        return queries, keys, values

    def forward(self, hidden: Tensor, queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
        """Attention and MLP, each added to `hidden`. `bias` is (1 or heads / kv_heads x rows, keys)."""
        rows, groups = hidden.shape[1], self.heads // self.kv_heads
        shape = (self.kv_heads, groups, rows, self.head_dim)
        queries = queries.view(rows, self.kv_heads, groups, self.head_dim).permute(1, 2, 0, 3).reshape(self.kv_heads, groups * rows, self.head_dim)
        keys, values = (x.view(x.shape[1], self.kv_heads, self.head_dim).transpose(0, 1) for x in (keys, values))
        scores = queries @ keys.transpose(1, 2) * self.head_dim**-0.5 + bias
        seen = (torch.softmax(scores, dim=-1) @ values).view(shape).permute(2, 0, 1, 3).reshape(1, rows, self.heads * self.head_dim)
        hidden = hidden + self.out(seen)
        normed = rms_norm(self.mlp_norm, hidden)
        return hidden + self.down(self.activation(self.gate(normed)) * self.up(normed))


def rms_norm(norm: nn.Module, x: Tensor) -> Tensor:
    return x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon) * norm.weight
