"""The order of the work: read and refuse, run LeRobot, export, prove, put in place."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safetensors.numpy import save

from . import position_ids
from .bundle import check_out, describe_policy, put_in_place, write_checksums, write_json
from .checkpoint import ACTION, STATE, read_checkpoint
from .dataset import read_dataset_facts
from .errors import ExportError
from .language import locate_vlm, read_language
from .parity import check_golden, check_graphs, convert_golden, read_golden, seeded_case
from .precision import CHOICES, FLOAT32, convert_graphs, describe_precision, parity_limits
from .real_time_chunking import parity_cases
from .statistics import read_normalization

DEFAULT_TASK = "Pick up the object."


@dataclass(frozen=True)
class Request:
    """What the user asked for; see `python -m roarm_export --help`."""

    checkpoint: Path
    out: Path
    vision_ids: str = position_ids.AUTO
    tokenizer: Path | None = None
    vlm: Path | None = None
    golden: Path | None = None
    task: str | None = None
    dataset: Path | None = None
    fps: int | float | None = None
    dtype: str = "fp32"


def export(request: Request, report: Callable[[str], None]) -> dict[str, float]:
    """Writes the bundle and returns the largest differences between the graphs and PyTorch by name.

    Raises `ExportError`; `request.out` is then as it was before. `report` gets a line about each step.
    """
    # Everything that can be refused without PyTorch is refused before it is imported, which takes seconds.
    checkpoint = read_checkpoint(request.checkpoint)
    normalization = read_normalization(checkpoint)
    facts = read_dataset_facts(checkpoint, request.dataset, request.fps)
    vlm = locate_vlm(checkpoint, request.vlm)
    language = read_language(checkpoint, vlm, request.tokenizer)
    if request.golden is not None and request.task is None:
        raise ExportError("--golden needs the task that its tokens came from", "pass --task TEXT")
    task = request.task or DEFAULT_TASK
    language.encode(task)
    golden = read_golden(request.golden, checkpoint) if request.golden else None
    check_out(request.out)
    report(f"checkpoint: {checkpoint.weights.parameters:,} parameters, {len(checkpoint.slots)} camera(s), {facts.fps or 'unknown'} fps")

    try:
        from .lerobot_policy import Observation, fix_position_ids, guided_fixture, load_policy, run_lerobot, vision_encoder
        from .onnx_files import export_graphs
    except ImportError as error:
        raise ExportError(
            f"this Python cannot import what the export runs on: {error}",
            "use the environment that models/export/setup_environment.py builds, or the one that trained the policy",
        ) from None

    policy = load_policy(checkpoint, vlm)
    embeddings = vision_encoder(policy).embeddings
    golden_ids = golden.get("vision_position_ids") if golden else None
    variant, reason = position_ids.decide(request.vision_ids, golden_ids, embeddings, embeddings.image_size, checkpoint.trained_in_bfloat16)
    report(f"vision position ids: {variant} ({reason})")
    side = embeddings.image_size // embeddings.patch_size
    ids = position_ids.canonical(side) if variant == position_ids.CANONICAL else position_ids.shifted(side)
    fix_position_ids(policy, ids)

    slots = [slot.name for slot in checkpoint.slots]
    padded_dim = checkpoint.config.get("max_state_dim", 32)
    if golden:
        observation = Observation({slots[0]: golden["image"]}, golden["state"], task, golden["noise"])
    else:
        mean, std = (normalization.tensors[f"{STATE}.{name}"] for name in ("mean", "std"))
        images, state, noise = seeded_case(checkpoint, mean, std)
        observation = Observation(images, state, task, noise)
    fixture = run_lerobot(policy, checkpoint, language, observation)
    check_tokens(fixture, language.encode(task))
    if golden:
        converted = convert_golden(golden, slots[0], padded_dim)
        check_golden(converted, fixture)
        fixture = converted
    guided = parity_cases(fixture["chunk_norm"])
    fixture |= guided_fixture(policy, checkpoint, language, observation, guided)
    report(f"PyTorch reference: {'golden file, confirmed by LeRobot' if golden else 'LeRobot, seeded observation'}, task {task!r}")

    request.out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{request.out.name}-", dir=request.out.parent))
    try:
        graphs, between = export_graphs(policy.model, ids, fixture, slots, checkpoint.empty_cameras, work)
        fixture = between | fixture
        description = describe_policy(checkpoint, language, normalization, facts, graphs, variant)
        # Before anything is rounded: a wrong graph must not pass under the wider limits of the smaller types.
        action_std = normalization.tensors[f"{ACTION}.std"]
        limits = parity_limits(FLOAT32, action_std)
        differences = check_graphs(work, description, fixture, tuple(guided), limits)
        if (compute := CHOICES[request.dtype]) != FLOAT32:
            report(f"float32 graphs: max |onnx - pytorch| of the chunk = {differences['chunk_norm']:.1e}; converting to {compute}")
            convert_graphs(work, description, compute)
            limits = parity_limits(compute, action_std)
            differences = check_graphs(work, description, fixture, tuple(guided), limits)
        describe_precision(work, description, compute)
        write_json(work / "policy.json", description)
        (work / "normalization.safetensors").write_bytes(save(normalization.tensors))
        (work / "parity.safetensors").write_bytes(save(fixture))
        cases = [case.parameters() for case in guided]
        write_json(work / "parity.json", {"task": task, "limits": limits, "real_time_chunking": cases})
        shutil.copyfile(language.tokenizer_file, work / "tokenizer.json")
        write_checksums(work)
        put_in_place(work, request.out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return differences


def check_tokens(fixture: dict, ids: list[int]) -> None:
    """The bundle's tokenizer.json must give the tokens that LeRobot's processor gave."""
    if fixture["lang_tokens"][: len(ids)].tolist() != ids or int(fixture["lang_mask"].sum()) != len(ids):
        raise ExportError(
            "tokenizer.json and LeRobot's tokenizer step disagree on the task's tokens", "pass the policy's own tokenizer with --tokenizer"
        )
