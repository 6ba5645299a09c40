"""`mmgt eval-length`: seams, borders and drift of long clips, the tables of docs/windows.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...cli.console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    only: Literal["seams", "drift", "borders"] | None = None
    """Measure one table. None = all."""
    clips: int = 8
    """Held-out clips for the seams."""
    minutes: int = 10
    """Length of the clips for the drift, in minutes."""
    quick: bool = False
    """A smoke test, not a measurement."""
    motion_model: Path | None = None
    """Stage I model file. None = the demo model."""
    model: Path | None = None
    """Stage II model file. None = the demo model."""


def run(args: Options, console: Console) -> int:
    tables = []
    if args.only in (None, "seams", "drift"):
        tables += _motion_tables(args, console)
    if args.only in (None, "borders"):
        tables.append(_border_table(args, console))
    console.close()
    print("\n\n".join(tables))
    return 0


def _motion_tables(args: Options, console: Console) -> list[str]:
    from ... import assets
    from ...checkpoints.smga import load_smga
    from ..evaluation import length

    model = load_smga(args.motion_model or assets.asset(assets.MOTION_MODEL))
    tables = []
    if args.only != "drift":
        count, seconds = (2, 12.0) if args.quick else (args.clips, 64.0)
        clips = [length.long_clip(index, seconds) for index in range(count)]
        ways = length.QUICK_WAYS if args.quick else length.WAYS
        tables.append(length.motion_table(length.measure_seams(model, clips, ways, console.stage("seams"))))
    if args.only != "seams":
        count, minutes = (1, 0.2) if args.quick else (length.LONG_CLIPS, args.minutes)
        clips = [length.long_clip(1000 + index, minutes * 60) for index in range(count)]
        ways = [length.OVERLAPPING, length.CHAINED]
        drifts = {
            way.name: length.measure_drift(model, clips, way, console.stage(f"drift, {way.name}"))
            for way in ways
        }
        tables.append(length.drift_table(drifts))
    return tables


def _border_table(args: Options, console: Console) -> str:
    from ... import assets
    from ...checkpoints.video import load_video_model
    from ...media.images import load_image
    from ...pose.openpose import read_pose_file
    from ..evaluation import borders

    model = load_video_model(args.model or assets.asset(assets.VIDEO_MODEL))
    settings = borders.SETTINGS[:2] if args.quick else borders.SETTINGS
    rows = borders.measure_borders(
        model,
        load_image(assets.asset(assets.PORTRAIT)),
        read_pose_file(assets.asset(assets.POSE)),
        frames=16 if args.quick else 48,
        seeds=1 if args.quick else 3,
        size=64 if args.quick else 128,
        settings=settings,
        progress=console.stage("borders"),
    )
    return borders.border_table(rows)
