"""The network, in the three parts that become the three graphs of a bundle.

Vision turns a picture into a map of features, the prefix finds the points that matter for the instruction and makes a condition of
them, and the flow step turns noise into a chunk of actions under that condition.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

HORIZON, JOINTS = 50, 6
# The camera's 640x480 fills the lower 384 rows of the letterboxed 512x512; averaged by four it is 128x96.
INPUT, PADDING, REDUCTION = 512, 128, 4
PICTURE_HEIGHT, PICTURE_WIDTH = (INPUT - PADDING) // REDUCTION, INPUT // REDUCTION
# The map of features: an eighth of the reduced picture's size would lose the boxes, a quarter does not.
MAP_STRIDE, CHANNELS = 4, 32
MAP_HEIGHT, MAP_WIDTH = PICTURE_HEIGHT // MAP_STRIDE, PICTURE_WIDTH // MAP_STRIDE
# Four neighbours of the map make one token.
TOKENS, HIDDEN = MAP_HEIGHT * MAP_WIDTH // 4, CHANNELS * 4
KEYPOINTS, MARKED = 16, 4
CONDITION, HEAD_DIM = 128, 64
VOCABULARY, WORD = 16, 32
LANGUAGE_WIDTH = 48
TIME_DIM, MIN_PERIOD, MAX_PERIOD = 32, 1 / 30, 2.0
WIDTH, BLOCKS = 448, 3


class Vision(nn.Module):
    """Reduced pictures (B, 3, 96, 128) in -1..1 -> tokens (B, 192, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 16, 5, 2, 2)
        self.second = nn.Conv2d(16, CHANNELS, 3, 2, 1)

    def features(self, picture: Tensor) -> Tensor:
        """The map (B, 32, 24, 32)."""
        x = functional.relu(self.first(picture))
        return functional.relu(self.second(x))

    def forward(self, picture: Tensor) -> Tensor:
        return functional.pixel_unshuffle(self.features(picture), 2).flatten(2).transpose(1, 2)


class Prefix(nn.Module):
    """Features, words, state -> the condition (B, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, WORD)
        self.modulation = nn.Linear(WORD, 2 * CHANNELS)
        self.third = nn.Conv2d(CHANNELS, CHANNELS, 3, 1, 1)
        self.keypoints = nn.Conv2d(CHANNELS, KEYPOINTS, 1)
        self.overview = nn.Linear(CHANNELS, 32)
        rows, columns = torch.meshgrid(
            (torch.arange(MAP_HEIGHT) + 0.5) * (2 / MAP_WIDTH) - MAP_HEIGHT / MAP_WIDTH,
            (torch.arange(MAP_WIDTH) + 0.5) * (2 / MAP_WIDTH) - 1,
            indexing="ij",
        )
        self.register_buffer("column", columns.reshape(1, 1, -1).float())
        self.register_buffer("row", rows.reshape(1, 1, -1).float())
        # a point twice, once as it is and once as waves that resolve small shifts
        points = 2 * KEYPOINTS * (1 + 2 * len(WAVES))
        self.mixer = nn.Sequential(
            nn.Linear(points + KEYPOINTS + 32 + JOINTS + WORD, 256), nn.SiLU(), nn.Linear(256, 256), nn.SiLU(), nn.Linear(256, CONDITION)
        )

    def forward(self, features: Tensor, tokens: Tensor, mask: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Also the points' heat (B, 16, 768) and places (B, 16, 2), for the losses of training."""
        weight = mask.to(state.dtype).unsqueeze(-1)
        language = (self.words(tokens) * weight).sum(1) / weight.sum(1).clamp(min=1)
        scale, shift = self.modulation(language)[:, :, None, None].chunk(2, 1)
        x = features + functional.relu(self.third(features) * (1 + scale) + shift)
        heat = self.keypoints(x).flatten(2) * 4.0
        share = torch.softmax(heat, -1)
        places = torch.stack([(share * self.column).sum(-1), (share * self.row).sum(-1)], -1)
        flat = places.flatten(1)
        waves = [wave(flat * frequency) for frequency in WAVES for wave in (torch.sin, torch.cos)]
        certainty = torch.tanh(heat.amax(-1) * 0.05)
        seen = torch.cat([flat, *waves, certainty, self.overview(x.mean((2, 3))), state, language], 1)
        return self.mixer(seen), heat, places


WAVES = (math.pi, 2 * math.pi, 4 * math.pi)


class Flow(nn.Module):
    """Noisy chunks (B, 50, 6), time embeddings (B, 32), conditions (B, 128) -> velocities (B, 50, 6)."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Linear(HORIZON * JOINTS + CONDITION + TIME_DIM, WIDTH)
        self.blocks = nn.ModuleList(
            nn.ModuleDict({"inner": nn.Linear(WIDTH, WIDTH), "given": nn.Linear(CONDITION + TIME_DIM, WIDTH), "outer": nn.Linear(WIDTH, WIDTH)})
            for _ in range(BLOCKS)
        )
        self.exit = nn.Linear(WIDTH, HORIZON * JOINTS)

    def forward(self, chunk: Tensor, time: Tensor, condition: Tensor) -> Tensor:
        given = torch.cat([time, condition], 1)
        x = self.entry(torch.cat([chunk.flatten(1), given], 1))
        for block in self.blocks:
            x = x + block["outer"](functional.silu(block["inner"](functional.silu(x)) + block["given"](given)))
        return self.exit(functional.silu(x)).reshape(-1, HORIZON, JOINTS)


class Policy(nn.Module):
    """All three together."""

    def __init__(self) -> None:
        super().__init__()
        self.vision, self.prefix, self.flow = Vision(), Prefix(), Flow()

    def condition(self, picture: Tensor, tokens: Tensor, mask: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.prefix(self.vision.features(picture), tokens, mask, state)


def time_embedding(time: Tensor) -> Tensor:
    """The bundle's embedding of the flow time (B) -> (B, 32), see docs/policy-bundle.md."""
    fraction = torch.linspace(0, 1, TIME_DIM // 2, dtype=torch.float64)
    period = MIN_PERIOD * (MAX_PERIOD / MIN_PERIOD) ** fraction
    angle = time.double()[:, None] * (2 * math.pi / period)
    return torch.cat([angle.sin(), angle.cos()], 1).float()
