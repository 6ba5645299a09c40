"""Runs the bundled configuration of `mmgt eval-demo` on given inputs and stand-ins for its models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from mmgt_core import assets
from mmgt_core.lab.tables.config import read_config
from mmgt_core.lab.tables.gate import Checked
from mmgt_core.lab.tables.presenter_inputs import EvaluationInputs
from mmgt_core.lab.tables.run import Tabulation
from mmgt_core.lab.tables.specs import TablesConfig

FRAMES = 16  # that are rendered of each presenter


class Given:
    """Stand-ins for the models of a configuration (`models.Sources`)."""

    device = torch.device("cpu")

    def __init__(self, motion=None, video=None):
        self._motion, self._video = motion, video

    def __contains__(self, name):
        return name in ("motion", "video")

    def window(self, name, seed):
        return self._motion

    def video(self, name, seed):
        return self._video

    def fingerprint(self, name, seed):
        return f"given {name}"


def bundled(only: str, seed: int, frames: int = FRAMES, at_once: int = 28) -> TablesConfig:
    """The bundled configuration, one table of it, for inputs of that seed."""
    config = read_config(assets.asset(assets.EVALUATION), only=only)
    rows = tuple(
        replace(row, at_once=min(row.at_once, at_once), frames=min(row.frames, frames))
        for row in config.tables[0].rows
    )
    table = replace(config.tables[0], rows=rows)
    presenter = replace(config.presenter, seed=seed)
    return replace(config, tables=(table,), seeds=(seed,), presenter=presenter, frames=frames, device="cpu")


def checks(
    inputs: EvaluationInputs,
    only: str,
    motion=None,
    video=None,
    *,
    frames: int = FRAMES,
    at_once: int = 28,
    journal: Path | None = None,
    calls: list | None = None,
) -> dict[str, Checked]:
    """The checks of one table by name; `calls` receives (stage, done, total, preview) of each step."""

    def stage(name: str):
        def progress(done, total, preview=None):
            if calls is not None:
                calls.append((name, done, total, preview))

        return progress

    config = bundled(only, inputs.seed, frames, at_once)
    given = Given(motion, video)
    gate = Tabulation(config, inputs, journal=journal, sources=given).run(stage).gate  # type: ignore[arg-type]
    return {check.name: check for check in gate.figures}
