"""How many frames a pose clip needs for a video model: its rate, its frame rule, its segments."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ..base.errors import InputError
from ..base.timebase import FPS

FrameRule = Literal["none", "4n+1", "8n+1"]
Segments = Literal["none", "wan s2v", "wan animate"]

STEPS: dict[str, int] = {"none": 1, "4n+1": 4, "8n+1": 8}
SEGMENTS: dict[str, tuple[int, int]] = {"wan s2v": (77, 80), "wan animate": (77, 72)}
"""Frames of the first sampling, and frames that each further one adds.

Wan S2V: 77 frames are 20 latent frames, and 20 more of them decode to 80 frames. Wan Animate: five of the 77
frames of a further segment repeat the end of the one before.
"""


@dataclass(frozen=True)
class ClipLength:
    """Frames of a clip.

    Attributes:
        frames: of the clip, the held last pose included.
        fps: frames a second.
        extensions: samplings after the first one; 0 where the model takes the clip at once.
    """

    frames: int
    fps: Fraction
    extensions: int = 0

    @property
    def seconds(self) -> Fraction:
        return self.frames / self.fps

    def samples(self, rate: int) -> int:
        """Samples at `rate` Hz that last as long as the clip, to the nearest one."""
        return round(self.seconds * rate)


def clip_length(
    motion_frames: int, fps: Fraction, rule: FrameRule = "none", segments: Segments = "none"
) -> ClipLength:
    """The length of a clip of a motion of `motion_frames` frames at 25 a second.

    Without a rule it lasts as long as the motion within half a frame. A rule, or whole segments, make it
    longer by less than one step of them, never shorter.

    Raises:
        InputError: a rule or kind of segments that does not exist.
    """
    for name, value, known in (("frame_rule", rule, STEPS), ("segments", segments, ("none", *SEGMENTS))):
        if value not in known:
            raise InputError(
                f"{value!r} is not possible", where=name, fix=f"choose one of {', '.join(known)}"
            )
    step = STEPS[rule]
    frames = max(1, int(motion_frames * fps / FPS + Fraction(1, 2)))
    if segments == "none":
        return ClipLength(_up(frames - 1, step) + 1 if step > 1 else frames, fps)
    first, more = SEGMENTS[segments]
    extensions = max(0, -(-(frames - first) // more))
    return ClipLength(first + extensions * more, fps, extensions)


def _up(value: int, step: int) -> int:
    return -(-value // step) * step
