"""`mmgt eval-demo`: the demo model's figures, beside their floors: `mmgt tables` with a file of its own."""

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
    """Measure and print; the exit code is 1 where a floor is missed."""
    import time
    from dataclasses import replace

    from ... import assets
    from ...base.atomic_files import atomic_write
    from ..tables.config import read_config
    from ..tables.presenter import open_inputs
    from ..tables.run import Tabulation

    config = read_config(assets.asset(assets.EVALUATION), quick=args.quick, only=args.only or "")
    files = {"motion": args.motion_model, "video": args.model}
    models = {name: replace(spec, file=str(files[name] or spec.file)) for name, spec in config.models.items()}
    config = replace(
        config,
        models=models,
        seeds=(args.seed,),
        presenter=replace(config.presenter, seed=args.seed),
        device=args.device or "auto",
    )
    drawing = console.stage("drawing speakers")
    inputs = open_inputs(config.presenter, config.frames, args.inputs, args.save_inputs, drawing)
    began = time.monotonic()
    gate = Tabulation(config, inputs, journal=args.journal).run(console.stage).gate
    gate.conditions["seconds"] = round(time.monotonic() - began, 1)
    console.close()
    print(gate.to_text())
    if args.json:
        with atomic_write(args.json) as temporary:
            temporary.write_text(gate.to_json(), encoding="utf-8")
    return gate.exit_code
