"""The demo model's rows: what each condition of `mmgt eval-demo` makes, in the words of `mmgt tables`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..tables.config import RowSpec

MOTION, VIDEO = "demo motion model", "demo video model"
MANY_STEPS, GUIDANCE = 20, 1.5  # a usual setting of ComfyUI's samplers
Frames = Literal["mouth", "picture", "still"]
"""Which count of `Plan` a row's frames have."""


@dataclass(frozen=True)
class DemoRow:
    """A row with what only a drawn speaker allows.

    Attributes:
        row: motion, video and sound, as in a table.
        pose, portrait: whether poses and portrait are the clip's "own" or those of the "other" person.
        lips: False hides lips and jaw in the pose images and holds the masks of face and lips.
        frames: how many are rendered.
        steps, guidance: of the sampler; None = the model's own.
        ramp: whether a motion begins exactly in the first pose.
    """

    row: RowSpec
    pose: Literal["own", "other"] = "own"
    portrait: Literal["own", "other"] = "own"
    lips: bool = True
    frames: Frames = "picture"
    steps: int | None = None
    guidance: float | None = None
    ramp: bool = True

    @property
    def name(self) -> str:
        return self.row.name


def _audio_driven(name: str, sound: str = "own", ramp: bool = True) -> DemoRow:
    return DemoRow(RowSpec(name, MOTION, sound=sound), ramp=ramp)


def _rendered(name: str, sound: str = "own", motion: str = "true") -> RowSpec:
    return RowSpec(name, motion, VIDEO, sound)


STAGE1 = (
    _audio_driven("speech"),
    _audio_driven("shuffled", sound="other"),
    _audio_driven("silence", sound="none"),
    _audio_driven("no-ramp", ramp=False),
)
STAGE2 = (
    DemoRow(_rendered("true"), frames="mouth"),
    DemoRow(_rendered("hidden"), lips=False, frames="mouth"),
    DemoRow(_rendered("hidden-shuffled", "other"), lips=False, frames="mouth"),
    DemoRow(_rendered("wrong-pose"), pose="other"),
    DemoRow(_rendered("wrong-portrait"), portrait="other"),
    DemoRow(_rendered("still", "none", "first pose"), frames="still"),
    DemoRow(_rendered("many-steps"), steps=MANY_STEPS, guidance=GUIDANCE),
)
END_TO_END = (
    DemoRow(RowSpec("own", MOTION, VIDEO), frames="mouth"),
    DemoRow(RowSpec("shuffled", MOTION, VIDEO, "other"), frames="mouth"),
)
