"""The demo's tokenizer: one token a word."""

from __future__ import annotations

import json

from .network import LANGUAGE_WIDTH

PAD, UNKNOWN = "<pad>", "<unknown>"
WORDS = (PAD, UNKNOWN, "pick", "up", "the", "white", "red", "box")
PAD_ID = WORDS.index(PAD)
INSTRUCTIONS = ("Pick up the white box", "Pick up the red box")


def tokenizer_json() -> str:
    """A file of the Hugging Face `tokenizers` format: lower case, words apart at white space."""
    return json.dumps(
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [],
            "normalizer": {"type": "Lowercase"},
            "pre_tokenizer": {"type": "Whitespace"},
            "post_processor": None,
            "decoder": None,
            "model": {"type": "WordLevel", "vocab": {word: index for index, word in enumerate(WORDS)}, "unk_token": UNKNOWN},
        },
        indent=1,
    )


def encode(task: str) -> tuple[list[int], list[bool]]:
    """Token ids and mask, padded to the width."""
    ids = [WORDS.index(word) if word in WORDS else WORDS.index(UNKNOWN) for word in task.lower().split()]
    space = LANGUAGE_WIDTH - len(ids)
    return ids + [PAD_ID] * space, [True] * len(ids) + [False] * space
