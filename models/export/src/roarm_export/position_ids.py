"""The position ids of the vision encoder: which of the two variants a policy saw in training.

SmolVLM computes them with `bucketize(i / n * (1 - 1e-6), k / n)`. In float32 this lands just below its bucket from transformers
4.55 to 4.57, so every row and column but the first is shifted by one; in bfloat16 the factor rounds to 1 and (but for 4.55)
nothing is shifted. Earlier releases and transformers 5 give canonical ids in either dtype. The graphs hold the ids as a
constant, so the exporter must know the variant: a policy that runs with the other one answers with wrong actions, and a
comparison with PyTorch in float32 would not show it, as that has the wrong ids as well.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

from .errors import ExportError

if TYPE_CHECKING:
    import torch

CANONICAL, SHIFTED, AUTO = "canonical", "shifted", "auto"


def canonical(side: int) -> np.ndarray:
    """0..n-1 for a grid of `side` x `side` patches, int64."""
    return np.arange(side * side, dtype=np.int64)


def shifted(side: int) -> np.ndarray:
    """What transformers 4.55 to 4.57 look up in float32, int64: the same operations in the same precision."""
    coordinates = np.arange(side, dtype=np.float32) / np.float32(side) * np.float32(1 - 1e-6)
    boundaries = np.arange(1 / side, 1.0, 1 / side).astype(np.float32)
    bucket = np.searchsorted(boundaries, coordinates, side="right").astype(np.int64)
    return (bucket[:, None] * side + bucket[None, :]).reshape(-1)


def variant_of(ids: np.ndarray, side: int) -> str:
    """`canonical` or `shifted`; anything else is refused."""
    for name, expected in ((CANONICAL, canonical(side)), (SHIFTED, shifted(side))):
        if np.array_equal(ids, expected):
            return name
    raise ExportError(
        f"the vision encoder looks up position ids that are neither canonical nor shifted: {ids[:8].tolist()}...",
        "say which ones the training used with --vision-ids canonical or --vision-ids shifted",
    )


def looked_up_ids(embeddings: torch.nn.Module, image_size: int, dtype: torch.dtype) -> np.ndarray:
    """The ids that the installed transformers looks up for a full image when the encoder runs in `dtype`."""
    import torch

    embeddings = copy.deepcopy(embeddings).to(dtype)
    seen = []
    embeddings.position_embedding.register_forward_pre_hook(lambda _module, arguments: seen.append(arguments[0]))
    side = image_size // embeddings.patch_size
    with torch.no_grad():
        embeddings(
            pixel_values=torch.zeros(1, 3, image_size, image_size, dtype=dtype),
            patch_attention_mask=torch.ones(1, side, side, dtype=torch.bool),
        )
    return seen[0].reshape(-1).numpy()


def decide(
    choice: str, golden_ids: np.ndarray | None, embeddings: torch.nn.Module, image_size: int, trained_in_bfloat16: bool
) -> tuple[str, str]:
    """(variant, reason). `auto` takes, in this order:

    1. the ids in the golden file: what PyTorch looked up is on record;
    2. what the *installed* transformers looks up in the dtype of *training*. This is right when the exporter runs in the
       environment that trained the policy, and for bfloat16 (canonical) with every release but 4.55.

    A choice that contradicts the golden file is refused.
    """
    import torch
    import transformers

    side = image_size // embeddings.patch_size
    recorded = None if golden_ids is None else variant_of(golden_ids.reshape(-1), side)
    if choice != AUTO:
        if recorded not in (None, choice):
            raise ExportError(
                f"--vision-ids {choice} contradicts the golden file, which was computed with {recorded} ids", f"use --vision-ids {recorded}"
            )
        return choice, "as asked"
    if recorded is not None:
        return recorded, "the golden file's own"
    dtype = torch.bfloat16 if trained_in_bfloat16 else torch.float32
    name = str(dtype).removeprefix("torch.")
    return variant_of(
        looked_up_ids(embeddings, image_size, dtype), side
    ), f"what transformers {transformers.__version__} looks up in {name}"
