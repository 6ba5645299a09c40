"""`mmgt demo-model`: the whole demo model from nothing, with fixed seeds; resumes where it was stopped."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from ... import assets
from ...cli.arguments import seed
from ...cli.console import Console
from ..training.phases import PHASES

NAME = "demo-model"
HELP = "train the whole demo model from nothing, resumable (needs the extra `train` and espeak-ng)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--folder", type=Path, default=Path(".train"), metavar="DIR", help="where everything goes"
    )
    parser.add_argument(
        "--phases", nargs="+", default=PHASES, choices=PHASES, metavar="PHASE", help="which to do"
    )
    for option, kind in (("--minutes", "time"), ("--steps", "step")):
        help_ = f"{kind} budgets such as image=25 (default: the recipe's)"
        parser.add_argument(option, nargs="+", type=_budget, default=(), metavar="PHASE=N", help=help_)
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="decides data, weights and noise")
    parser.add_argument("--device", default="auto", help="cpu, cuda, or auto: a GPU if there is one")
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that speak, move and draw"
    )
    parser.add_argument(
        "--install", action="store_true", help="put the finished model into the package's assets"
    )


def run(args: argparse.Namespace, console: Console) -> int:
    from ..training.demo_model import DemoModelSettings, make_demo_model

    settings = DemoModelSettings(
        folder=str(args.folder),
        phases=tuple(args.phases),
        minutes=dict(args.minutes),
        steps={name: int(value) for name, value in args.steps},
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
    name, _, value = text.partition("=")
    try:
        budget = float(value)
    except ValueError:
        budget = -1.0
    if name not in PHASES or not budget > 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not PHASE=NUMBER with one of {', '.join(PHASES)}")
    return name, budget
