"""The three graphs as PyTorch modules, of LeRobot's weights in the layers of `layers`.

    vision   pixels f32 (1,3,h,w) in [-1,1] -> img_emb f32 (1,T,D)
    prefix   img_emb (1,N*T,D), img_pad bool (1,N*T), lang_tokens i64 (1,L), lang_masks bool (1,L), state f32 (1,S)
             -> prefix_pad_masks bool (1,P), k_cache f32 (layers,1,P,kv_heads,head_dim), v_cache
    denoise  x_t f32 (1,H,A), time_emb f32 (1,E), prefix_pad_masks, k_cache, v_cache -> v_t f32 (1,H,A)

What is the same at every flow step is moved out of `denoise`: the expert's cross-attention key and value projections are applied in `prefix`,
and the time embedding, which LeRobot computes in float64, is an input.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from lerobot.policies.smolvla.modeling_smolvla import VLAFlowMatching, make_att_2d_masks
from torch import Tensor, nn
from torch.nn import functional

from .layers import Rotation, TextLayer, VisionLayer, mask_to_bias, rms_norm


class VisionGraph(nn.Module):
    """One image -> its tokens, already scaled by sqrt(D) as `embed_prefix` does. The position ids are a constant."""

    def __init__(self, model: VLAFlowMatching, position_ids: np.ndarray):
        super().__init__()
        vlm = model.vlm_with_expert.get_vlm_model()
        self.encoder, self.connector = vlm.vision_model, vlm.connector
        # Looked up here, as the exporter folds no constant of this size.
        table = self.encoder.embeddings.position_embedding.weight
        self.register_buffer("positions", table[torch.from_numpy(position_ids)][None].detach(), persistent=False)
        self.layers = nn.ModuleList(VisionLayer(layer, position_ids.size) for layer in self.encoder.encoder.layers)

    def forward(self, pixels: Tensor) -> Tensor:
        embeddings = self.encoder.embeddings
        patches = embeddings.patch_embedding(pixels).flatten(2).transpose(1, 2)
        hidden = patches + self.positions
        # No mask: a full image has no masked patch.
        for layer in self.layers:
            hidden = layer(hidden)
        tokens = self.connector(self.encoder.post_layernorm(hidden))
        return tokens * tokens.shape[-1] ** 0.5


class PrefixGraph(nn.Module):
    """Everything that the action tokens look at, as one key/value cache."""

    def __init__(self, model: VLAFlowMatching):
        super().__init__()
        self.model = model
        heads, kv_heads = head_counts(model)
        layers = model.vlm_with_expert.get_vlm_model().text_model.layers
        self.layers = nn.ModuleList(TextLayer(layer, heads, kv_heads, cross=False) for layer in layers)

    def forward(
        self, img_emb: Tensor, img_pad: Tensor, lang_tokens: Tensor, lang_masks: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        text = self.model.vlm_with_expert.embed_language_tokens(lang_tokens)
        text = text * math.sqrt(text.shape[-1])
        embeddings = torch.cat([img_emb, text, self.model.state_proj(state)[:, None, :]], dim=1)
        pad = torch.cat([img_pad, lang_masks, torch.ones(1, 1, dtype=torch.bool)], dim=1)
        # Images and text are one block that sees itself; the state sees all, and only the state sees the state.
        block = torch.cat([torch.zeros(1, embeddings.shape[1] - 1, dtype=torch.int64), torch.ones(1, 1, dtype=torch.int64)], dim=1)
        bias = mask_to_bias(make_att_2d_masks(pad, block)[0]).repeat(head_groups(self.model), 1)
        rotation = Rotation(torch.cumsum(pad.long(), dim=1) - 1, self.layers[0].head_dim)
        hidden, keys, values = embeddings, [], []
        for index, layer in enumerate(self.layers):
            query, key, value = layer.queries_keys_values(hidden, rotation)
            for kept, view in zip((keys, values), self.expert_view(index, key, value), strict=True):
                kept.append(view)
            # Nothing reads what comes after the last layer's keys and values.
            if index + 1 < len(self.layers):
                hidden = layer(hidden, query, key, value, bias)
        return pad, torch.stack(keys), torch.stack(values)

    def expert_view(self, index: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """The keys and values as the expert's layer `index` uses them."""
        if not is_cross_attention(self.model, index):
            return key, value
        attention = self.model.vlm_with_expert.lm_expert.layers[index].self_attn
        flat = (*key.shape[:2], -1)
        return attention.k_proj(key.reshape(flat)).view(key.shape), attention.v_proj(value.reshape(flat)).view(value.shape)


class DenoiseGraph(nn.Module):
    """The velocity of one flow step."""

    def __init__(self, model: VLAFlowMatching):
        super().__init__()
        self.model = model
        heads, kv_heads = head_counts(model)
        expert = model.vlm_with_expert.lm_expert
        self.crosses = [is_cross_attention(model, index) for index in range(len(expert.layers))]
        self.layers = nn.ModuleList(
            TextLayer(layer, heads, kv_heads, cross) for layer, cross in zip(expert.layers, self.crosses, strict=True)
        )
        self.norm = expert.norm

    def forward(self, x_t: Tensor, time_emb: Tensor, prefix_pad_masks: Tensor, k_cache: Tensor, v_cache: Tensor) -> Tensor:
        model = self.model
        actions = model.action_in_proj(x_t)
        actions = torch.cat([actions, time_emb[:, None, :].expand_as(actions)], dim=2)
        hidden = model.action_time_mlp_out(functional.silu(model.action_time_mlp_in(actions)))
        horizon, head_dim = hidden.shape[1], self.layers[0].head_dim
        # Causal among the actions; each of them sees the whole valid prefix.
        prefix_bias = mask_to_bias(prefix_pad_masks)
        causal = mask_to_bias(torch.ones(horizon, horizon, dtype=torch.bool).tril())
        own_bias = torch.cat([prefix_bias.expand(horizon, prefix_pad_masks.shape[1]), causal], dim=1).repeat(head_groups(model), 1)
        steps = torch.arange(horizon)[None]
        # Cross-attention counts the actions from 0, self-attention from the end of the prefix.
        from_zero = Rotation(steps, head_dim)
        after_prefix = Rotation(prefix_pad_masks.long().sum(dim=-1)[:, None] + steps, head_dim)
        for index, (layer, cross) in enumerate(zip(self.layers, self.crosses, strict=True)):
            keys, values = k_cache[index], v_cache[index]
            if cross:
                hidden = layer(hidden, layer.queries(hidden, from_zero), keys, values, prefix_bias)
            else:
                queries, own_keys, own_values = layer.queries_keys_values(hidden, after_prefix)
                keys, values = torch.cat([keys, own_keys], dim=1), torch.cat([values, own_values], dim=1)
                hidden = layer(hidden, queries, keys, values, own_bias)
        return model.action_out_proj(rms_norm(self.norm, hidden))


def head_counts(model: VLAFlowMatching) -> tuple[int, int]:
    """Query heads, key/value heads; language model and expert have the same."""
    return model.vlm_with_expert.num_attention_heads, model.vlm_with_expert.num_key_value_heads


def head_groups(model: VLAFlowMatching) -> int:
    """Query heads that share a key."""
    heads, kv_heads = head_counts(model)
    return heads // kv_heads


def is_cross_attention(model: VLAFlowMatching, index: int) -> bool:
    """Whether the expert's layer `index` reads the prefix only (LeRobot's `self_attn_every_n_layers`)."""
    every = model.vlm_with_expert.self_attn_every_n_layers
    return not (every > 0 and index % every == 0)
