"""The training: flow matching on chunks, with the instructed box shown to the eyes of the network."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .demonstrations import Demonstrations
from .network import HORIZON, JOINTS, MAP_HEIGHT, MAP_STRIDE, MAP_WIDTH, MARKED, PICTURE_HEIGHT, PICTURE_WIDTH, Policy, time_embedding
from .words import INSTRUCTIONS, encode


@dataclass(frozen=True)
class Recipe:
    """Everything the result depends on besides the data."""

    iterations: int = 5000
    seed: int = 0
    batch: int = 64
    # noises and times drawn for each observation: the flow step is cheap beside the eyes
    draws: int = 4
    learning_rate: float = 1e-3
    warm_up: int = 200
    weight_decay: float = 1e-4
    average: float = 0.998
    state_noise: float = 0.03
    heat_weight: float = 0.1
    place_weight: float = 2.0
    # width of the marks in the map, in its cells
    mark_cells: float = 0.7
    # actions beyond these count less: they are seldom executed
    near_actions: int = 30
    far_weight: float = 0.6


def train(data: Demonstrations, recipe: Recipe, report: Callable[[dict[str, float], dict[str, Tensor]], None]) -> Policy:
    """The averaged policy. `report` gets the mean losses of each hundred iterations, and the averaged weights so far."""
    torch.manual_seed(recipe.seed)
    policy = Policy().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(policy.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    averaged = {name: tensor.clone() for name, tensor in policy.state_dict().items()}
    words, masks = (torch.tensor(part) for part in zip(*(encode(text) for text in INSTRUCTIONS), strict=True))
    importance = torch.ones(HORIZON)
    importance[recipe.near_actions :] = recipe.far_weight
    started, sums = time.monotonic(), np.zeros(4)
    for iteration in range(recipe.iterations):
        done = iteration / recipe.iterations
        rate = recipe.learning_rate * min(1, (iteration + 1) / recipe.warm_up) * (0.5 * (1 + math.cos(math.pi * done)) + 0.01)
        for group in optimiser.param_groups:
            group["lr"] = rate
        chosen = torch.randint(0, len(data), (recipe.batch,))
        batch = data.batch(chosen)
        state = batch.state + recipe.state_noise * torch.randn(recipe.batch, JOINTS)
        condition, heat, places = policy.condition(relit(batch.picture), words[batch.task], masks[batch.task], state)
        heat_loss, place_loss = mark_losses(heat[:, :MARKED], places[:, :MARKED], batch.marks_px, recipe.mark_cells)
        flow_loss = flow_matching(policy, condition, batch.chunk, batch.valid * importance, recipe.draws)
        loss = flow_loss + recipe.heat_weight * heat_loss + recipe.place_weight * place_loss
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimiser.step()
        keep = min(recipe.average, (1 + iteration) / (20 + iteration))
        with torch.no_grad():
            for name, tensor in policy.state_dict().items():
                averaged[name].lerp_(tensor, 1 - keep)
        pixels = (places[:, 0].detach() - to_places(batch.marks_px[:, 0])).norm(dim=-1).mean() * PICTURE_WIDTH / 2
        sums += [flow_loss.item(), heat_loss.item(), place_loss.item(), pixels.item()]
        if (iteration + 1) % 100 == 0:
            flow, heat_mean, place, error = sums / 100
            sums[:] = 0
            report(
                {
                    "iteration": iteration + 1,
                    "seconds": time.monotonic() - started,
                    "flow": flow,
                    "heat": heat_mean,
                    "place": place,
                    "target_px": error,
                },
                averaged,
            )
    policy.load_state_dict(averaged)
    return policy.eval()


def relit(picture: Tensor) -> Tensor:
    """8-bit pictures to -1..1 in another light each."""
    count = len(picture)
    contrast = 1 + 0.15 * (torch.rand(count, 1, 1, 1) - 0.5)
    colour = 1 + 0.06 * (torch.rand(count, 3, 1, 1) - 0.5)
    brightness = 0.1 * (torch.rand(count, 1, 1, 1) - 0.5)
    return (picture.float() / 127.5 - 1) * contrast * colour + brightness


def to_places(marks_px: Tensor) -> Tensor:
    """Pixels of the reduced picture to the network's own scale: -1..1 over the width."""
    return torch.stack([marks_px[..., 0] * (2 / PICTURE_WIDTH) - 1, (marks_px[..., 1] * 2 - PICTURE_HEIGHT) / PICTURE_WIDTH], -1)


def mark_losses(heat: Tensor, places: Tensor, marks_px: Tensor, mark_cells: float) -> tuple[Tensor, Tensor]:
    """The first keypoints are told where the instructed box, the other box, the tool and the base are: once as a spot of heat, once
    as a place. Marks outside the picture count for nothing."""
    inside = ((marks_px >= 0) & (marks_px < torch.tensor([PICTURE_WIDTH, PICTURE_HEIGHT]))).all(-1).float()
    rows, columns = torch.meshgrid(torch.arange(MAP_HEIGHT) + 0.5, torch.arange(MAP_WIDTH) + 0.5, indexing="ij")
    cells = marks_px / MAP_STRIDE
    distance = (columns.reshape(1, 1, -1) - cells[..., :1]) ** 2 + (rows.reshape(1, 1, -1) - cells[..., 1:]) ** 2
    spots = torch.softmax(-distance / (2 * mark_cells**2), -1)
    heat_loss = -(torch.log_softmax(heat, -1) * spots).sum(-1)
    place_loss = functional.smooth_l1_loss(places, to_places(marks_px), reduction="none", beta=0.02).sum(-1)
    # the instructed box decides
    weight = inside * torch.tensor([2.0, 1.0, 1.0, 1.0])
    return (heat_loss * weight).sum() / weight.sum(), (place_loss * weight).sum() / weight.sum()


def flow_matching(policy: Policy, condition: Tensor, chunk: Tensor, weight: Tensor, draws: int) -> Tensor:
    """SmolVLA's loss: x_t = t noise + (1 - t) actions, velocity noise - actions, t from Beta(1.5, 1)."""
    actions, weight = chunk.repeat(draws, 1, 1), weight.repeat(draws, 1)
    t = torch.distributions.Beta(1.5, 1.0).sample((len(actions),)) * 0.999 + 0.001
    noise = torch.randn_like(actions)
    noisy = t[:, None, None] * noise + (1 - t[:, None, None]) * actions
    velocity = policy.flow(noisy, time_embedding(t), condition.repeat(draws, 1))
    return (((velocity - (noise - actions)) ** 2).mean(-1) * weight).sum() / weight.sum()
