"""The network as the three graphs of a bundle (docs/policy-bundle.md)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .network import CHANNELS, HEAD_DIM, HORIZON, LANGUAGE_WIDTH, MAP_HEIGHT, MAP_WIDTH, PADDING, REDUCTION, TOKENS, Flow, Policy, Prefix, Vision

LENGTH = TOKENS + LANGUAGE_WIDTH + 1


class VisionGraph(nn.Module):
    """Letterboxed pixels (1, 3, 512, 512) in -1..1 -> tokens (1, 192, 128). The padding above the picture is cut off."""

    def __init__(self, vision: Vision) -> None:
        super().__init__()
        self.vision = vision

    def forward(self, pixels: Tensor) -> Tensor:
        return self.vision(functional.avg_pool2d(pixels[:, :, PADDING:, :], REDUCTION))


class PrefixGraph(nn.Module):
    """Tokens, words, state -> the mask of the prefix, and the condition as the key and value of its last place, the state's."""

    def __init__(self, prefix: Prefix) -> None:
        super().__init__()
        self.prefix = prefix

    def forward(self, img_emb: Tensor, img_pad: Tensor, lang_tokens: Tensor, lang_masks: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        seen = img_emb * img_pad.to(img_emb.dtype).unsqueeze(-1)
        packed = seen.transpose(1, 2).reshape(1, 4 * CHANNELS, MAP_HEIGHT // 2, MAP_WIDTH // 2)
        condition, _, _ = self.prefix(functional.pixel_shuffle(packed, 2), lang_tokens, lang_masks, state)
        always = torch.ones(1, 1, dtype=torch.bool)
        mask = torch.cat([img_pad, lang_masks, always], 1)
        empty = torch.zeros(1, 1, LENGTH - 1, 1, HEAD_DIM)
        key, value = (half.reshape(1, 1, 1, 1, HEAD_DIM) for half in condition.split(HEAD_DIM, 1))
        return mask, torch.cat([empty, key], 2), torch.cat([empty, value], 2)


# Waves over the length of a chunk that are kept, besides its straight lines: up to 3 Hz.
WAVES_KEPT = 10


def smooth_part() -> Tensor:
    """(50, 50): the projection of a chunk's course in time onto straight lines and slow waves."""
    time = (torch.arange(HORIZON, dtype=torch.float64) + 0.5) / HORIZON
    waves = [torch.cos(torch.pi * wave * time) for wave in range(1, WAVES_KEPT + 1)]
    basis, _ = torch.linalg.qr(torch.stack([torch.ones_like(time), time, *waves], 1))
    return (basis @ basis.T).float()


class FlowGraph(nn.Module):
    """One flow step. The valid places of the prefix are summed up, which leaves the condition.

    The network is too small to leave no jitter from action to action. What is faster than a hand moves is given the velocity that ends
    at nothing, x / t, whatever the network says: so a chunk is smooth, and the step is still a flow's.
    """

    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self.flow = flow
        self.register_buffer("smooth", smooth_part())

    def forward(self, x_t: Tensor, time_emb: Tensor, prefix_pad_masks: Tensor, k_cache: Tensor, v_cache: Tensor) -> Tensor:
        valid = prefix_pad_masks.to(k_cache.dtype)[None, :, :, None, None]
        condition = torch.cat([(cache * valid).sum((0, 2)).reshape(1, HEAD_DIM) for cache in (k_cache, v_cache)], 1)
        # the slowest wave of the embedding is cos(pi t)
        t = torch.acos(time_emb[:, -1:].clamp(-1, 1)).unsqueeze(-1) / torch.pi
        fast = x_t - self.smooth @ x_t
        return self.smooth @ self.flow(x_t, time_emb, condition) + fast / t


def graphs(policy: Policy) -> dict[str, nn.Module]:
    return {"vision": VisionGraph(policy.vision).eval(), "prefix": PrefixGraph(policy.prefix).eval(), "denoise": FlowGraph(policy.flow).eval()}
