"""`mmgt eval-gestures`: figures of the gestures of a Stage I model, beside the motion rules themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ...cli.console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    motion_model: Path | None = None
    """Stage I model file. None = the demo model."""
    recordings: tuple[Path, ...] = ()
    """Folders of recordings of other voices; each becomes a column."""
    clips: int = 16
    """Held-out clips of espeak-ng. 0 = none, and espeak-ng is not needed."""
    seeds: int = 3
    """Performances of each clip."""
    json: Path | None = None
    """Also write the figures into this file."""
    quick: bool = False
    """A smoke test, not a measurement."""


def run(args: Options, console: Console) -> int:
    from ... import assets
    from ...base.atomic_files import atomic_write
    from ...checkpoints.smga import load_smga
    from ..evaluation import gesture_clips
    from ..evaluation import gestures as evaluation

    model = load_smga(args.motion_model or assets.asset(assets.MOTION_MODEL))
    columns = {}
    seeds = 2 if args.quick else args.seeds
    if args.clips:
        clips = gesture_clips.spoken_clips(2 if args.quick else args.clips)
        rules = evaluation.measure_gestures(None, clips, seeds, console.stage("motion rules"))
        columns["motion rules"] = rules
        columns["model"] = evaluation.measure_gestures(model, clips, seeds, console.stage("espeak"))
    for folder in args.recordings:
        clips = gesture_clips.recorded_clips(folder)
        clips = clips[:1] if args.quick else clips
        name = f"model, {folder.name}"
        columns[name] = evaluation.measure_gestures(model, clips, seeds, console.stage(folder.name))
    console.close()
    if args.json is not None:
        with atomic_write(args.json) as temporary:
            Path(temporary).write_text(json.dumps(columns, indent=2) + "\n", encoding="utf-8")
    if args.quick:
        print("QUICK SMOKE RUN: too few clips, these are not the model's figures\n")
    print(evaluation.table(columns))
    return 0
