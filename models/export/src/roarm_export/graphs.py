"""The three graphs as PyTorch modules around LeRobot's own layers.

    vision   pixels f32 (1,3,h,w) in [-1,1] -> img_emb f32 (1,T,D)
    prefix   img_emb (1,N*T,D), img_pad bool (1,N*T), lang_tokens i64 (1,L), lang_masks bool (1,L), state f32 (1,S)
             -> prefix_pad_masks bool (1,P), k_cache f32 (layers,1,P,kv_heads,head_dim), v_cache
    denoise  x_t f32 (1,H,A), time_emb f32 (1,E), prefix_pad_masks, k_cache, v_cache -> v_t f32 (1,H,A)

Two things differ from `SmolVLAPolicy.sample_actions`, neither in the numbers. What is the same at every flow step is moved out of
`denoise`: the expert's cross-attention key and value projections are applied in `prefix`, and the time embedding, which LeRobot
computes in float64, is an input. And the rotary embedding is written with a concatenation, as an assignment to slices becomes
ScatterND.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import lerobot.policies.smolvla.smolvlm_with_expert as smolvlm_with_expert
import numpy as np
import torch
from lerobot.policies.smolvla.modeling_smolvla import VLAFlowMatching, make_att_2d_masks
from torch import Tensor, nn
from torch.nn import functional


class VisionGraph(nn.Module):
    """One image -> its tokens, already scaled by sqrt(D) as `embed_prefix` does. The position ids are a constant."""

    def __init__(self, model: VLAFlowMatching, position_ids: np.ndarray):
        super().__init__()
        vlm = model.vlm_with_expert.get_vlm_model()
        self.encoder, self.connector = vlm.vision_model, vlm.connector
        # Looked up here, as the exporter folds no constant of this size.
        table = self.encoder.embeddings.position_embedding.weight
        self.register_buffer("positions", table[torch.from_numpy(position_ids)][None].detach(), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        embeddings = self.encoder.embeddings
        patches = embeddings.patch_embedding(pixels).flatten(2).transpose(1, 2)
        hidden = patches + self.positions
        # No mask: a full image has no masked patch.
        hidden = self.encoder.encoder(inputs_embeds=hidden, attention_mask=None).last_hidden_state
        tokens = self.connector(self.encoder.post_layernorm(hidden))
        return tokens * tokens.shape[-1] ** 0.5


class PrefixGraph(nn.Module):
    """Everything that the action tokens look at, as one key/value cache."""

    def __init__(self, model: VLAFlowMatching):
        super().__init__()
        self.model = model

    def forward(
        self, img_emb: Tensor, img_pad: Tensor, lang_tokens: Tensor, lang_masks: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        layers = self.model.vlm_with_expert
        text = layers.embed_language_tokens(lang_tokens)
        text = text * math.sqrt(text.shape[-1])
        embeddings = torch.cat([img_emb, text, self.model.state_proj(state)[:, None, :]], dim=1)
        pad = torch.cat([img_pad, lang_masks, torch.ones(1, 1, dtype=torch.bool)], dim=1)
        # Images and text are one block that sees itself; the state sees all, and only the state sees the state.
        block = torch.cat([torch.zeros(1, embeddings.shape[1] - 1, dtype=torch.int64), torch.ones(1, 1, dtype=torch.int64)], dim=1)
        _, cache = layers.forward(
            attention_mask=make_att_2d_masks(pad, block),
            position_ids=torch.cumsum(pad.long(), dim=1) - 1,
            past_key_values=None,
            inputs_embeds=[embeddings, None],
            use_cache=True,
            fill_kv_cache=True,
        )
        keys, values = zip(*(self.expert_view(index, cache[index]) for index in range(len(cache))), strict=True)
        return pad, torch.stack(keys), torch.stack(values)

    def expert_view(self, index: int, entry: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The keys and values as the expert's layer `index` uses them."""
        key, value = entry["key_states"], entry["value_states"]
        if not is_cross_attention(self.model, index):
            return key, value
        attention = self.model.vlm_with_expert.lm_expert.layers[index].self_attn
        flat = (*key.shape[:2], -1)
        return attention.k_proj(key.reshape(flat)).view(key.shape), attention.v_proj(value.reshape(flat)).view(value.shape)


class DenoiseGraph(nn.Module):
    """The velocity of one flow step. Run and export it inside `projections_hoisted`."""

    def __init__(self, model: VLAFlowMatching):
        super().__init__()
        self.model = model

    def forward(self, x_t: Tensor, time_emb: Tensor, prefix_pad_masks: Tensor, k_cache: Tensor, v_cache: Tensor) -> Tensor:
        model = self.model
        actions = model.action_in_proj(x_t)
        actions = torch.cat([actions, time_emb[:, None, :].expand_as(actions)], dim=2)
        actions = model.action_time_mlp_out(functional.silu(model.action_time_mlp_in(actions)))
        horizon = actions.shape[1]
        # Causal among the actions; each of them sees the whole valid prefix.
        valid = torch.ones(1, horizon, dtype=torch.bool)
        causal = make_att_2d_masks(valid, valid.long())
        mask = torch.cat([prefix_pad_masks[:, None, :].expand(1, horizon, prefix_pad_masks.shape[1]), causal], dim=2)
        positions = prefix_pad_masks.long().sum(dim=-1)[:, None] + torch.arange(horizon)[None]
        cache = {index: {"key_states": k_cache[index], "value_states": v_cache[index]} for index in range(k_cache.shape[0])}
        outputs, _ = model.vlm_with_expert.forward(
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            inputs_embeds=[None, actions],
            use_cache=True,
            fill_kv_cache=False,
        )
        return model.action_out_proj(outputs[1].to(torch.float32))


def is_cross_attention(model: VLAFlowMatching, index: int) -> bool:
    """Whether the expert's layer `index` reads the prefix only (LeRobot's `self_attn_every_n_layers`)."""
    every = model.vlm_with_expert.self_attn_every_n_layers
    return not (every > 0 and index % every == 0)


class _Unchanged(nn.Module):
    """Stands where a projection was that `prefix` has already applied."""

    def __init__(self):
        super().__init__()
        # LeRobot asks every projection for its weight's dtype.
        self.register_buffer("weight", torch.zeros(1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x


@contextmanager
def projections_hoisted(model: VLAFlowMatching) -> Iterator[None]:
    """The cross-attention layers take keys and values that `PrefixGraph` has projected."""
    saved = []
    for index, layer in enumerate(model.vlm_with_expert.lm_expert.layers):
        if is_cross_attention(model, index):
            attention = layer.self_attn
            saved.append((attention, attention.k_proj, attention.v_proj))
            attention.k_proj, attention.v_proj = _Unchanged(), _Unchanged()
    try:
        yield
    finally:
        for attention, k_proj, v_proj in saved:
            attention.k_proj, attention.v_proj = k_proj, v_proj


def rotary_by_concatenation(x: Tensor, positions: Tensor, max_wavelength: int = 10_000) -> Tensor:
    """LeRobot's `apply_rope`, operation by operation, but for the last step."""
    half = x.shape[-1] // 2
    dtype, x = x.dtype, x.to(torch.float32)
    timescale = max_wavelength ** ((2.0 / x.shape[-1]) * torch.arange(half, dtype=torch.float32))
    radians = (positions[..., None].to(torch.float32) / timescale[None, None, :])[..., None, :]
    sin, cos = torch.sin(radians), torch.cos(radians)
    first, second = x[..., :half], x[..., half:]
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1).to(dtype)


@contextmanager
def exportable_rotary() -> Iterator[None]:
    """LeRobot's layers use `rotary_by_concatenation`."""
    original = smolvlm_with_expert.apply_rope
    smolvlm_with_expert.apply_rope = rotary_by_concatenation
    try:
        yield
    finally:
        smolvlm_with_expert.apply_rope = original
