"""Gesture tracks: which gesture, which hand, how large, at each moment; a condition of motion models.

A track is drawn from a seed before a motion is generated, so other seeds give other gestures to the same
words, and style, strength and handedness are choices of the track. Models that were not trained with tracks
(`SMGAConfig.control_channels` = 0, all published ones) do not read one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from ..base.timebase import FPS

SHAPES = ("beat", "open", "together", "raise", "sweep", "chop", "weigh", "chest", "frame", "low")
"""Beat gestures by name: both hands up and down; open palms outward; hands together; a raised hand; a sweep
to the side; a chop; hands weigh in turn; a hand to the chest; hands frame a size; small beats low."""
TWO_HANDED = ("together", "weigh", "frame")  # with one hand alone they say nothing
VALUES = ("right hand", "left hand", "head", "tilt", "turn")
"""After the weights of the shapes: how much each hand and the head take part (0 to 1.5, 1 is usual), and how
far the head tilts and turns (-1 to 1, 1 to the person's left)."""
CHANNELS = len(SHAPES) + len(VALUES)
FADE = 12  # frames from one gesture to the next

Style = Literal["natural", "calm", "lively", "open"]
Handedness = Literal["mixed", "right", "left", "both"]
STYLES: tuple[Style, ...] = get_args(Style)
HANDEDNESS: tuple[Handedness, ...] = get_args(Handedness)
STRONGEST = 1.5


@dataclass(frozen=True)
class _Manner:
    """A style: how often each shape, how long one gesture lasts in seconds, how large hands and head move."""

    shapes: dict[str, float]
    seconds: tuple[float, float]
    size: float
    head: float


_MANNERS: dict[Style, _Manner] = {
    "natural": _Manner(dict.fromkeys(SHAPES, 1.0), (1.0, 2.6), 1.0, 1.0),
    "calm": _Manner({"low": 3, "together": 3, "frame": 1, "chest": 1, "open": 1}, (1.8, 4.0), 0.7, 0.7),
    "lively": _Manner(
        {"beat": 2, "sweep": 2, "raise": 2, "weigh": 2, "chop": 2, "open": 1}, (0.8, 1.6), 1.2, 1.3
    ),
    "open": _Manner({"open": 4, "sweep": 2, "frame": 1, "weigh": 1}, (1.2, 2.8), 1.0, 1.0),
}


@dataclass(frozen=True)
class GestureChoices:
    """What a person decides about the gestures; the seed decides the rest.

    Attributes:
        style: "natural" uses every shape; "calm" few and small ones near the body; "lively" large ones that
            change quickly; "open" open palms.
        strength: 0 (hands stay down) to 1.5; 1 is usual.
        handedness: "mixed", a hand that leads ("right" or "left": the person's own), or "both" at all times.
    """

    style: Style = "natural"
    strength: float = 1.0
    handedness: Handedness = "mixed"

    def check(self) -> None:
        """Raises InputError for a choice that does not exist."""
        for what, value, kinds in (
            ("style", self.style, STYLES),
            ("handedness", self.handedness, HANDEDNESS),
        ):
            if value not in kinds:
                raise InputError(
                    f"there is no {what} '{value}'", where=what, fix=f"choose {', '.join(kinds)}"
                )
        if not 0 <= self.strength <= STRONGEST:
            raise InputError(
                f"strength is {self.strength:g}", where="strength", fix=f"choose 0 to {STRONGEST:g}"
            )


def neutral_track(frames: int) -> NDArray[np.float32]:
    """(frames, CHANNELS): the shape "beat" with both hands, the head straight."""
    track = np.zeros((frames, CHANNELS), np.float32)
    track[:, [SHAPES.index("beat"), *map(channel, ("right hand", "left hand", "head"))]] = 1
    return track


def channel(name: str) -> int:
    """The column of a shape or a value."""
    return (*SHAPES, *VALUES).index(name)


def draw_track(frames: int, seed: int, choices: GestureChoices | None = None) -> NDArray[np.float32]:
    """(frames, CHANNELS) of a seed: gesture after gesture, faded into one another.

    A longer track begins as the shorter one of the same seed and choices.

    Raises InputError for a choice that does not exist.
    """
    choices = choices or GestureChoices()
    choices.check()
    rng = np.random.default_rng([0x6E57, seed])
    manner = _MANNERS[choices.style]
    return fade_gestures(frames, rng, lambda last: _draw(rng, manner, choices, last), manner.seconds)


def fade_gestures(
    frames: int,
    rng: np.random.Generator,
    draw: Callable[[str], tuple[str, NDArray[np.float32]]],
    seconds: tuple[float, float],
) -> NDArray[np.float32]:
    """(frames, CHANNELS): rows that `draw(name of the last shape)` gives, each lasting within `seconds`."""
    rows, name = [], ""
    while sum(map(len, rows)) < frames + FADE:
        name, row = draw(name)
        rows.append(np.repeat(row[None], max(round(rng.uniform(*seconds) * FPS), 1), axis=0))
    return smoothed_track(np.concatenate(rows)[: frames + FADE])[:frames]


def smoothed_track(track: NDArray[np.float32]) -> NDArray[np.float32]:
    """Steps become ramps of `FADE` frames."""
    kernel = np.hanning(FADE + 3)[1:-1]
    kernel = kernel / kernel.sum()
    reach = len(kernel) // 2
    padded = np.pad(track, ((reach, len(kernel) - 1 - reach), (0, 0)), mode="edge")
    columns = [np.convolve(column, kernel, "valid") for column in padded.T]
    return np.stack(columns, axis=1).astype(np.float32)


def _draw(
    rng: np.random.Generator, manner: _Manner, choices: GestureChoices, last: str
) -> tuple[str, NDArray[np.float32]]:
    """One gesture, another than the last, as a row of the track."""
    names = [name for name in manner.shapes if name != last]
    odds = np.array([manner.shapes[name] for name in names], float)
    name = str(rng.choice(names, p=odds / odds.sum()))
    size = choices.strength * manner.size * rng.uniform(0.8, 1.15)
    right, left = _hands(rng, name, choices.handedness)
    row = gesture_row(
        name,
        right=min(size * right, STRONGEST),
        left=min(size * left, STRONGEST),
        head=min(manner.head * rng.uniform(0.7, 1.2) * min(choices.strength, 1.2) ** 0.5, STRONGEST),
        tilt=rng.uniform(-1, 1) * min(manner.head, 1),
        turn=rng.uniform(-1, 1) * min(manner.head, 1),
    )
    return name, row


def _hands(rng: np.random.Generator, name: str, handedness: Handedness) -> tuple[float, float]:
    """How much the right and the left hand take part; draws equally often whatever the choice."""
    alone, side, rest = rng.random(), rng.random(), rng.uniform(0, 0.15)
    if name in TWO_HANDED or handedness == "both":
        return 1.0, 1.0
    if alone > (0.45 if handedness == "mixed" else 0.8):
        return 1.0, 1.0
    leads_right = side < {"mixed": 0.5, "right": 1.0, "left": 0.0}[handedness]
    return (1.0, rest) if leads_right else (rest, 1.0)


def gesture_row(
    shape: str,
    *,
    right: float = 1.0,
    left: float = 1.0,
    head: float = 1.0,
    tilt: float = 0.0,
    turn: float = 0.0,
) -> NDArray[np.float32]:
    """(CHANNELS,) of one gesture; see `SHAPES` and `VALUES`.

    Raises InputError for a shape that does not exist.
    """
    if shape not in SHAPES:
        raise InputError(f"there is no gesture '{shape}'", where="shape", fix=f"choose {', '.join(SHAPES)}")
    row = np.zeros(CHANNELS, np.float32)
    row[channel(shape)] = 1
    row[len(SHAPES) :] = right, left, head, tilt, turn
    return row
