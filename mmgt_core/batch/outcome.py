"""What came of one call of a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["motion", "latents", "done", "failed", "again", "busy"]


@dataclass(frozen=True)
class Outcome:
    """The answer of a worker.

    Attributes:
        kind: the `motion` is made, or the `latents`; the video is `done`; the job `failed` for reasons of its
            own; it is to be tried `again`; or later, because another process is `busy` with its work folder.
        reason: one line for the last three.
        frames: that were made.
    """

    kind: Kind
    reason: str = ""
    frames: int = 0
