"""`mmgt eval-demo`: the demo model's figures, beside their floors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...cli.console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    seed: int = 0
    """Random seed of voices, sentences, identities and noise."""
    only: Literal["stage1", "stage2", "end-to-end"] | None = None
    """Measure one part. None = all."""
    motion_model: Path | None = None
    """Stage I model file. None = the demo model."""
    model: Path | None = None
    """Stage II model file. None = the demo model."""
    inputs: Path | None = None
    """Inputs written by --save-inputs; espeak-ng is not needed then."""
    save_inputs: Path | None = None
    """Keep the inputs of this seed in a file."""
    journal: Path | None = None
    """File of finished clips: an interrupted run continues where it stopped."""
    json: Path | None = None
    """Also write the figures as JSON."""
    device: str | None = None
    """cpu, cuda, ... None = a GPU if there is one."""
    quick: bool = False
    """A few clips: a smoke test, not a measurement."""


def run(args: Options, console: Console) -> int:
    from ..evaluation.demo import evaluate_demo

    table = evaluate_demo(
        args.seed,
        only=args.only,
        motion_model=args.motion_model,
        video_model=args.model,
        inputs=args.inputs,
        save_inputs=args.save_inputs,
        journal=args.journal,
        device=args.device,
        quick=args.quick,
        progress=console.stage("evaluation"),
    )
    console.close()
    print(table.to_text())
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(table.to_json(), encoding="utf-8")
    return table.exit_code
