"""`mmgt presenter-videos`: files to practice `mmgt prepare` and training on, with faults among them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...base.errors import InputError
from ...cli.console import Console

SIZES = (64, 1024)


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    out: Path
    """Folder for the videos, one folder a speaker; videos.json in it says what is wrong with which file."""
    count: int = 40
    """Videos of 8 to 20 s; 13 of them have a fault."""
    size: int = 128
    """Height of the images in pixels, even."""
    seed: int = 0
    """Random seed of speakers, voices, sentences, gestures and faults."""


def run(options: Options, console: Console) -> int:
    """Write the videos; the name of their folder goes to stdout."""
    from collections import Counter

    from ..presenter.practice_plan import plan_videos
    from ..presenter.practice_videos import write_practice_videos

    if not SIZES[0] <= options.size <= SIZES[1] or options.size % 2:
        raise InputError(
            f"a size of {options.size} pixels is not possible",
            where="--size",
            fix=f"choose an even number from {SIZES[0]} to {SIZES[1]}",
        )
    if not 1 <= options.count <= 1000:
        raise InputError(f"{options.count} videos are not possible", where="--count", fix="choose 1 to 1000")
    plans = plan_videos(options.count, options.seed)
    truths = write_practice_videos(options.out, plans, options.size, console.stage("making videos"))
    kinds = Counter(truth.fault for truth in truths)
    minutes = sum(truth.seconds for truth in truths) / 60
    speakers = len({truth.speaker for truth in truths})
    listed = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    console.note(f"{len(truths)} videos of {speakers} speakers, {minutes:.1f} min: {listed}")
    print(options.out)
    return 0
