"""`run.json`: one file that says how a model was trained, with what, for how long, and how it went."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import torch

from ... import __version__
from ...base.atomic_files import atomic_write
from .checkpointing import TrainingFolder
from .loop_settings import LoopReport

RUN_FILE = "run.json"
CURVE_POINTS = 200


def write_run_file(folder: Path, phase: str, settings: dict[str, Any], data: str, report: LoopReport) -> None:
    """Write the run file: versions, settings without folders, the data's name, time, best validation, curve.

    Args:
        settings: every setting of the phase as plain values.
        data: name or hash of the training data.
    """
    journal = TrainingFolder(folder).journal()
    losses = [entry for entry in journal if "loss" in entry]
    every = max(1, -(-len(losses) // CURVE_POINTS))
    values = {
        "mmgt": __version__,
        "phase": phase,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else platform.machine(),
        "data": data,
        "settings": _without_folders(settings),
        "steps": report.steps,
        "hours": round(report.seconds / 3600, 3),
        "finished": report.finished,
        "best": report.best,
        "curve": [{"step": entry["step"], "loss": entry["loss"]} for entry in losses[::every]],
        "validation": [
            {"step": entry["step"], **entry["validation"]} for entry in journal if "validation" in entry
        ],
    }
    with atomic_write(folder / RUN_FILE) as temporary:
        temporary.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def _without_folders(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with files and folders cut to their names: a run file is made to be shared."""
    return {
        name: Path(value).name if isinstance(value, str) and ("/" in value or "\\" in value) else value
        for name, value in settings.items()
    }
