"""The stages of a run, and what share of its time each takes: one bar shows all of them."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from ..base.progress import Progress, silent


class Stage(str, Enum):
    """A stage by the name that people see."""

    MOTION = "generating motion"
    CONDITIONS = "preparing conditions"
    SAMPLING = "sampling video"
    WRITING = "writing video"
    DRAWING = "drawing poses"
    ENCODING = "encoding speech"
    DETECTION = "detecting poses"
    CHECKING = "checking model files"
    COMPARING = "comparing pose styles"

    __str__ = str.__str__
    __format__ = str.__format__


Stages = Callable[[Stage], Progress]
"""Begins a stage of the work and returns the progress callable that belongs to it."""

SHARES = {Stage.MOTION: 0.07, Stage.CONDITIONS: 0.01, Stage.SAMPLING: 0.84, Stage.WRITING: 0.08}


def no_stages(stage: Stage) -> Progress:
    """Stages that show nothing."""
    return silent


def shares(with_motion: bool) -> dict[str, float]:
    """Stage -> its rough share of a video's time, in order; they add up to 1.

    Args:
        with_motion: whether the run generates its motion.
    """
    used = {stage.value: share for stage, share in SHARES.items() if with_motion or stage != Stage.MOTION}
    return {name: share / sum(used.values()) for name, share in used.items()}
