"""Where the VLM's folder and the tokenizer are, and how wide the token input is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from .checkpoint import TOKENIZER_STEP, Checkpoint
from .errors import ExportError


@dataclass(frozen=True)
class Language:
    """The policy's text input: `width` token ids, padded on the right with `pad_id`."""

    tokenizer_file: Path
    width: int
    pad_id: int
    append_newline: bool

    def encode(self, task: str) -> list[int]:
        """Token ids of `task` as LeRobot computes them, without padding. Raises `ExportError` if they exceed `width`."""
        tokenizer = Tokenizer.from_file(str(self.tokenizer_file))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        text = task if task.endswith("\n") or not self.append_newline else f"{task}\n"
        ids = tokenizer.encode(text).ids
        if len(ids) > self.width:
            raise ExportError(f"the task has {len(ids)} tokens, the policy takes {self.width}", "give a shorter --task")
        return ids


def locate_vlm(checkpoint: Checkpoint, vlm: Path | None) -> Path:
    """The folder with the VLM's `config.json` and processor files (no weights are needed: the checkpoint has them all).

    In this order: `--vlm`; the checkpoint's `vlm_model_name` as a folder beside the checkpoint or under the current folder; the
    Hugging Face cache or hub.
    """
    name = checkpoint.config.get("vlm_model_name", "")
    fix = "pass --vlm DIR, a folder with the VLM's config.json, tokenizer and processor files (from the machine that trained the policy)"
    if vlm is not None:
        if not (vlm / "config.json").is_file():
            raise ExportError(f"--vlm {vlm}: there is no config.json", fix)
        return vlm
    for candidate in (checkpoint.folder / name, checkpoint.folder.parent / name, Path(name)):
        if name and (candidate / "config.json").is_file():
            return candidate
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.txt"]
    try:
        return Path(snapshot_download(name, allow_patterns=patterns, local_files_only=True))
    except Exception:  # noqa: BLE001 - the cache misses in many ways, each of which means: ask the hub
        pass
    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except Exception as error:  # noqa: BLE001 - whatever the hub answered is the cause to show
        raise ExportError(
            f"the VLM {name!r} is neither a folder nor in the Hugging Face cache nor on the hub ({type(error).__name__})", fix
        ) from None


def read_language(checkpoint: Checkpoint, vlm: Path, tokenizer: Path | None) -> Language:
    """Finds `tokenizer.json` (`--tokenizer` file or folder, else the VLM's) and checks the token width."""
    source = tokenizer or vlm
    file = source if source.is_file() else source / "tokenizer.json"
    if not file.is_file():
        raise ExportError(
            f"there is no tokenizer.json at {source}; a LeRobot checkpoint stores only the tokenizer's name",
            "pass --tokenizer with the VLM's tokenizer.json or the folder that holds it",
        )
    try:
        loaded = Tokenizer.from_file(str(file))
    except Exception as error:  # noqa: BLE001 - tokenizers raises bare Exception
        raise ExportError(f"{file} is not a tokenizer file: {error}", "pass --tokenizer with a Hugging Face tokenizer.json") from None
    return Language(file, token_width(checkpoint), pad_id(loaded, file, vlm), checkpoint.appends_newline)


def token_width(checkpoint: Checkpoint) -> int:
    """The static width of the token input: `tokenizer_max_length`, never less.

    Padding is masked, so the full width is right for policies trained with `longest` too; a smaller width would cut instructions.
    """
    trained = checkpoint.config.get("tokenizer_max_length", 48)
    step = checkpoint.step(TOKENIZER_STEP)
    if step is None:
        raise ExportError("policy_preprocessor.json has no tokenizer_processor step", "export a checkpoint with SmolVLA's own processors")
    width = step.config.get("max_length", 512)
    if width < trained:
        raise ExportError(
            f"the tokenizer step cuts the task at {width} tokens, but the policy was trained with tokenizer_max_length={trained}",
            f"set max_length to {trained} in policy_preprocessor.json",
        )
    if step.config.get("padding_side", "right") != "right":
        raise ExportError("the tokenizer step pads on the left; SmolVLA pads on the right", "set padding_side to 'right'")
    return width


def pad_id(tokenizer: Tokenizer, file: Path, vlm: Path) -> int:
    """The id of the pad token: from `tokenizer_config.json` beside the tokenizer, else from the VLM's config."""
    settings = file.parent / "tokenizer_config.json"
    if settings.is_file():
        token = json.loads(settings.read_text()).get("pad_token")
        token = token.get("content") if isinstance(token, dict) else token
        if token is not None and (found := tokenizer.token_to_id(token)) is not None:
            return found
    config = json.loads((vlm / "config.json").read_text())
    found = config.get("pad_token_id", config.get("text_config", {}).get("pad_token_id"))
    if not isinstance(found, int) or found < 0:
        raise ExportError(
            f"neither {settings} nor {vlm / 'config.json'} names the pad token", "pass --tokenizer with the whole tokenizer folder"
        )
    return found
