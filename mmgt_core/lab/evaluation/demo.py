"""`mmgt eval-demo`: the demo model's figures on voices, sentences and people that training never saw."""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ... import assets
from ...base.errors import InputError
from ...base.progress import Progress, silent
from ...checkpoints.io import read_model_file
from ..metrics.journal import Journal
from ..sources.models import SMGASource, VideoModelSource
from .end_to_end import end_to_end_steps, measure_end_to_end
from .figures import Figure, Table
from .inputs import EvaluationInputs, input_steps, make_inputs, read_inputs, write_inputs
from .plan import QUICK, REAL, Plan
from .stage1 import measure_stage1, stage1_steps
from .stage2 import measure_stage2, stage2_steps
from .steps import Steps

PARTS = ("stage1", "stage2", "end-to-end")
ENOUGH_WINDOWS, ENOUGH_IDENTITIES = 200, 32  # with fewer, a table is a smoke run whatever it was called with


def evaluate_demo(
    seed: int = 0,
    *,
    only: str | None = None,
    motion_model: str | os.PathLike[str] | None = None,
    video_model: str | os.PathLike[str] | None = None,
    inputs: str | os.PathLike[str] | None = None,
    save_inputs: str | os.PathLike[str] | None = None,
    journal: str | os.PathLike[str] | None = None,
    device: str | None = None,
    quick: bool = False,
    progress: Progress = silent,
) -> Table:
    """Measure the demo model; `table.to_text()`, `table.to_json()` and `table.exit_code` tell the result.

    Args:
        seed: >= 0; decides voices, sentences, identities, performances and noise, all unseen by training.
        only: "stage1", "stage2" or "end-to-end"; None measures all three.
        motion_model, video_model: model files; default the bundled ones.
        inputs: a file that `save_inputs` wrote for this seed: no espeak-ng is needed then.
        save_inputs: where to keep the evaluation's inputs.
        journal: JSON lines of finished clips; an interrupted run continues where its journal stops.
        device: "cpu", "cuda", ...; None takes a GPU where there is one.
        quick: few clips, a smoke test whose table says that it is one.
        progress: called after every clip or batch with (done, total, preview of the last frame made).

    Raises:
        DependencyError: espeak-ng is needed and absent.
        InputError, CheckpointError: an argument or a file is not what it should be.
    """
    parts = _parts(only)
    plan = QUICK if quick else REAL
    began = time.monotonic()
    files = _model_files(parts, motion_model, video_model)
    target = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    motion_source = _motion_source(files, target)
    video_source = _video_source(files, target)
    conditions = _conditions(seed, plan, files, target)
    kept = Journal(journal)

    def section(part: str, *models: str) -> Journal:
        others = {"motion_model", "video_model"} - set(models)
        return kept.section(part, {name: value for name, value in conditions.items() if name not in others})

    data = _loaded(inputs, seed, plan)
    steps = Steps((0 if data else input_steps(plan)) + _steps(parts, data, plan), progress)
    data = data or make_inputs(seed, plan, steps.follow)
    if save_inputs is not None:
        write_inputs(data, save_inputs)

    figures: list[Figure] = []
    if "stage1" in parts and motion_source:
        figures += measure_stage1(motion_source, data, plan, section("stage1", "motion_model"), steps)
    if "stage2" in parts and video_source:
        figures += measure_stage2(video_source, data, plan, section("stage2", "video_model"), steps)
    if "end-to-end" in parts and motion_source and video_source:
        both = section("end-to-end", "motion_model", "video_model")
        figures += measure_end_to_end(motion_source, video_source, data, plan, both, steps)
    conditions["seconds"] = round(time.monotonic() - began, 1)
    conditions["speaking_windows"], conditions["identities"] = int(data.speaks.sum()), len(data.identity)
    enough = conditions["speaking_windows"] >= ENOUGH_WINDOWS and len(data.identity) >= ENOUGH_IDENTITIES
    return Table(tuple(figures), conditions, quick or not enough)


def _parts(only: str | None) -> tuple[str, ...]:
    if only is None:
        return PARTS
    if only not in PARTS:
        raise InputError(f"there is no part {only!r} of the table", fix=f"choose one of {', '.join(PARTS)}")
    return (only,)


def _model_files(
    parts: tuple[str, ...], motion: str | os.PathLike[str] | None, video: str | os.PathLike[str] | None
) -> dict[str, Path]:
    files = {}
    if {"stage1", "end-to-end"} & set(parts):
        files["motion_model"] = Path(motion or assets.asset(assets.MOTION_MODEL))
    if {"stage2", "end-to-end"} & set(parts):
        files["video_model"] = Path(video or assets.asset(assets.VIDEO_MODEL))
    return files


def _motion_source(files: dict[str, Path], device: torch.device) -> SMGASource | None:
    if "motion_model" not in files:
        return None
    from ...checkpoints.smga import load_smga

    return SMGASource(load_smga(files["motion_model"], device))


def _video_source(files: dict[str, Path], device: torch.device) -> VideoModelSource | None:
    if "video_model" not in files:
        return None
    from ...checkpoints.video import load_video_model

    return VideoModelSource(load_video_model(files["video_model"], device, torch.float32))


def _conditions(seed: int, plan: Plan, files: dict[str, Path], device: torch.device) -> dict[str, Any]:
    """What decides the numbers: all that is needed to make the table again, and the sections of a journal."""
    models = {name: _fingerprint(path) for name, path in files.items()}
    return {"seed": seed, "plan": asdict(plan), "device": device.type, "torch": torch.__version__, **models}


def _loaded(path: str | os.PathLike[str] | None, seed: int, plan: Plan) -> EvaluationInputs | None:
    if path is None:
        return None
    data = read_inputs(path)
    if data.seed != seed:
        raise InputError(
            f"these inputs were made for seed {data.seed}, not {seed}",
            where=path,
            fix=f"give --seed {data.seed}",
        )
    return data.limited(plan)


def _steps(parts: tuple[str, ...], data: EvaluationInputs | None, plan: Plan) -> int:
    windows = len(data.speech_features) if data else plan.speech_clips * plan.windows_per_clip
    silent_windows = len(data.silent_features) if data else plan.silent_windows
    identities = len(data.identity) if data else plan.identities
    counts = {
        "stage1": stage1_steps(windows, silent_windows, plan),
        "stage2": stage2_steps(identities, plan),
        "end-to-end": end_to_end_steps(identities, plan),
    }
    return sum(counts[part] for part in parts)


def _fingerprint(path: Path) -> str:
    """SHA-256 of a model's configuration and weights; a note in its header does not make it another model."""
    file = read_model_file(path)
    digest = hashlib.sha256(json.dumps(file.config, sort_keys=True).encode())
    for name in sorted(file.tensors):
        tensor = file.tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
