"""`mmgt demo-model`: the whole demo model from scratch, with fixed seeds; resumes where it was stopped."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from ... import assets
from ...base.errors import InputError
from ...cli.console import Console
from ..training.phases import PHASES


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    folder: Path = Path(".train")
    """Folder of data, checkpoints and the finished model; the data takes about 16 GB."""
    phases: tuple[str, ...] = PHASES
    """The phases to run."""
    minutes: tuple[str, ...] = ()
    """Time budgets such as image=25. None given = the recipe's."""
    steps: tuple[str, ...] = ()
    """Step budgets such as image=500. None given = the recipe's."""
    seed: int = 0
    """Random seed of data, weights and noise."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu or cuda."""
    workers: int = 1
    """Processes that generate data."""
    install: bool = False
    """Copy the finished model into the package's assets."""


def run(args: Options, console: Console) -> int:
    from ..training.demo_model import DemoModelSettings, make_demo_model

    unknown = [name for name in args.phases if name not in PHASES]
    if unknown:
        raise InputError(
            f"there is no phase '{unknown[0]}'", where="--phases", fix=f"choose of {', '.join(PHASES)}"
        )
    settings = DemoModelSettings(
        folder=str(args.folder),
        phases=tuple(args.phases),
        minutes=dict(map(_budget, args.minutes)),
        steps={name: int(value) for name, value in map(_budget, args.steps)},
        device=args.device,
        seed=args.seed,
        workers=args.workers,
    )
    report = make_demo_model(settings, console.stage)
    console.close()
    print(json.dumps(report, indent=2, sort_keys=True))
    for name in (assets.MOTION_MODEL, assets.VIDEO_MODEL):
        if args.install and (args.folder / name).is_file():
            shutil.copyfile(args.folder / name, assets.FOLDER / name)
            console.note(f"{assets.FOLDER / name} is the new demo model's")
    return 0


def _budget(text: str) -> tuple[str, float]:
    """(phase, budget) of a text such as image=25; raises InputError for anything else."""
    name, _, value = text.partition("=")
    try:
        budget = float(value)
    except ValueError:
        budget = -1.0
    if name not in PHASES or not budget > 0:
        raise InputError(f"'{text}' is not PHASE=NUMBER", fix=f"use one of {', '.join(PHASES)}")
    return name, budget
