"""Motion rules: how a presenter moves while it says a given list of phonemes.

Everything but some blinks follows from the timing, the kind, the stress and the loudness of the sounds, by
smooth and local rules, so that a network that uses the sound can learn it:

- lips: each sound has a shape (`phonemes.VISEMES`), louder sounds open further, neighbors blend, p/b/m
  and pauses shut;
- hands: they rise while there is speech to where the gesture of the moment holds them (`gesture_shapes`),
  and each stressed syllable draws one stroke: up before it, down on it, slowly back; head and brows follow;
- eyes: they blink where a pause begins, as people do at the end of a phrase, and else now and then;
- silence: 0.3 s after the last sound everything is at rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ...base.timebase import FPS, frame_count_of_seconds
from ...pose.gesture_track import SHAPES, channel, neutral_track
from ...pose.motion import Motion
from .arms import FOLDED, ArmCurves, RestHands
from .figure import Posture, poses
from .gesture_shapes import GESTURES
from .identity import Identity
from .phonemes import VISEMES, Phoneme, is_vowel, shape_codes

_GRID = 200  # steps a second on which the curves are built before one value per frame is read
_STRESS = np.array([0.10, 0.45, 1.0])
_SETTLE = 0.30  # seconds from speech to rest
_BLINK = (0.55, 1.0, 0.75, 0.25)  # how far the eyes are shut, frame by frame
_BLINK_PAUSE, _BLINK_DELAY, _BLINK_REST = 0.16, 0.06, 0.8
"""Seconds: the shortest pause with a blink, how long after its beginning, the least from blink to blink."""
_PAUSES = sorted({shape.pause for shape in GESTURES.values()})
_RIVAL = 0.26  # seconds within which a stronger syllable takes the stroke from a weaker one


@dataclass(frozen=True)
class Performance:
    """A motion with the truths behind it, at 25 fps.

    Attributes:
        motion: exact keypoints, (frames, 134, 3); frame k describes the sound in [k, k + 1) * 40 ms.
        aperture: float32 (frames,), distance of the inner lips over the presenter's largest, 0 (closed) .. 1.
        beats: float32 (frames,), strength of the gesture stroke that lands in the frame
            (0 almost everywhere).
        activity: float32 (frames,), 0 in silence .. 1 while speaking.
        identity: who performed.
    """

    motion: Motion
    aperture: np.ndarray
    beats: np.ndarray
    activity: np.ndarray
    identity: Identity


def perform(
    phonemes: Sequence[Phoneme],
    seconds: float,
    identity: Identity,
    seed: int = 0,
    gestures: float = 1.0,
    *,
    track: np.ndarray | None = None,
    rest: RestHands = FOLDED,
) -> Performance:
    """Move for `ceil(seconds * 25)` frames; `seed` decides only what sound and track cannot show (when
    the eyes blink outside of pauses).

    Frame 0 is `rest_pose(identity, rest)`, whatever is said in it.

    Args:
        gestures: size of the strokes of hands and arms over the usual one, 0 to 2.
        track: which gestures, (frames, channels) of `pose.gesture_track`; None = "beat" with both hands.
        rest: where the hands rest.
    """
    frames = frame_count_of_seconds(seconds)
    times = (np.arange(frames) + 0.5) / FPS
    begin = smooth_step((times - times[0]) / 0.25) if frames else times
    activity, loudness = _activity(phonemes, seconds, times)
    activity = activity * begin
    opening, spread = _lips(phonemes, seconds, times)
    quick = smooth_step((times - times[0]) / 0.10) if frames else times
    landings, strengths = beats(phonemes)
    calm = smooth_step(2 * activity)
    track = neutral_track(frames) if track is None else track[:frames]
    head, tilt, turn = (track[:, channel(name)].astype(float) for name in ("head", "tilt", "turn"))
    stroke, flick = strokes(times, landings, strengths)
    posture = Posture(
        opening=opening * quick,
        spread=spread * quick,
        blink=_blinks(phonemes, frames, seed),
        brow=calm * head * np.tanh(_pulses(times, landings - 0.04, strengths, 0.08, 0.22)),
        nod=calm * head * np.tanh(_pulses(times, landings + 0.02, strengths, 0.08, 0.17)),
        tilt=calm * tilt,
        turn=calm * turn,
        arms=ArmCurves(
            lift=activity * (0.72 + 0.34 * loudness),
            stroke=gestures * calm[:, None] * stroke,
            flick=gestures * calm[:, None] * flick,
            track=track,
        ),
    )
    struck = np.zeros(frames, np.float32)
    inside = (landings >= 0) & (landings * FPS < frames)
    np.maximum.at(struck, (landings[inside] * FPS).astype(int), strengths[inside].astype(np.float32))
    motion = Motion(torch.from_numpy(poses(identity, posture, rest)))
    return Performance(
        motion, posture.opening.astype(np.float32), struck, activity.astype(np.float32), identity
    )


def beats(phonemes: Sequence[Phoneme]) -> tuple[np.ndarray, np.ndarray]:
    """Times in seconds at which strokes land, and their strengths 0..1, one for each vowel.

    A syllable that has a stronger neighbor within a quarter of a second yields to it, smoothly.
    """
    vowels = [p for p in phonemes if p.symbol and is_vowel(p.symbol)]
    landing = np.array([min(p.start + 0.05, (p.start + p.end) / 2) for p in vowels])
    prominence = np.array([_STRESS[p.stress] * p.loudness**1.5 for p in vowels])
    near = np.abs(landing[:, None] - landing[None]) < _RIVAL
    yielding = (
        np.where(near, prominence[None] - prominence[:, None], 0).clip(0).sum(1)
        if len(vowels)
        else prominence
    )
    return landing, prominence * np.exp(-1.5 * yielding)


def _lips(phonemes: Sequence[Phoneme], seconds: float, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Opening 0..1 and spread -1..1 of the mouth at `times`."""
    grid = _grid(seconds)
    opening, spread, shut = np.zeros_like(grid), np.zeros_like(grid), np.zeros_like(grid)
    for p in phonemes:
        codes = shape_codes(p.symbol)
        middle = (p.start + p.end) / 2
        for code, start, end in ((codes[0], p.start, middle), (codes[1], middle, p.end)):
            here = (grid >= start) & (grid < end)
            shape = VISEMES[code]
            loud = 0.35 + 0.65 * p.loudness if shape.vowel else 1.0
            opening[here] = shape.opening * loud * (0.90 + 0.05 * p.stress)
            spread[here] = shape.spread
        if not p.symbol:
            shut = np.maximum(shut, _bump(grid, p.start + 0.14, p.end - 0.02, 0.12))
        elif VISEMES[codes[0]].closed:
            # At least one frame must see the lips meet, so a closure lasts a frame and a bit.
            half = max(p.end - p.start, 0.046) / 2
            shut = np.maximum(shut, _bump(grid, middle - half, middle + half, 0.06))
    opening = _blur(opening, 0.028) * (1 - shut)
    spread = _blur(spread, 0.05)
    return np.interp(times, grid, opening), np.interp(times, grid, spread)


def _activity(
    phonemes: Sequence[Phoneme], seconds: float, times: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How much there is speech around each time (exactly 0 from 0.3 s after it), and how loud, both 0..1."""
    grid = _grid(seconds)
    speaking, loudness = np.zeros_like(grid), np.zeros_like(grid)
    for p in phonemes:
        here = (grid >= p.start) & (grid < p.end)
        if p.symbol or p.end - p.start < 0.12:
            speaking[here] = 1
        loudness[here] = p.loudness
    width = int(_SETTLE * _GRID)
    kernel = np.hanning(2 * width + 1)
    active = np.convolve(speaking, kernel / kernel.sum(), "same") if len(grid) > 2 * width else speaking
    return np.interp(times, grid, active), np.interp(times, grid, _blur(loudness, 0.12))


def strokes(times: np.ndarray, landings: np.ndarray, strengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(frames, shapes) each: up before a landing, quickly down onto it, held, slowly back; and the flick of
    the hand that goes with it.
    """
    raised = _pulses(times, landings - 0.17, strengths, 0.09, 0.07)
    strokes, flicks = {}, {}
    for pause in _PAUSES:
        landed = _pulses(times, landings + 0.02, strengths, 0.06, 0.17, pause)
        strokes[pause] = np.tanh(0.95 * raised - 1.15 * landed)
        flicks[pause] = np.tanh(_pulses(times, landings + 0.02, strengths, 0.06, 0.18, pause))
    curves = ([made[GESTURES[name].pause] for name in SHAPES] for made in (strokes, flicks))
    stroke, flick = (np.stack(columns, axis=1) for columns in curves)
    return stroke, flick


def _pulses(
    times: np.ndarray,
    centres: np.ndarray,
    heights: np.ndarray,
    before: float,
    after: float,
    pause: float = 0.0,
) -> np.ndarray:
    """A sum of bells with different widths on the two sides of their centres and tops of `pause` seconds."""
    lag = times[:, None] - centres[None]
    lag = np.where(lag > 0, np.maximum(lag - pause, 0), lag)
    return (heights * np.exp(-0.5 * (lag / np.where(lag < 0, before, after)) ** 2)).sum(1)


def _blinks(phonemes: Sequence[Phoneme], frames: int, seed: int) -> np.ndarray:
    """Quick blinks: one at the beginning of each pause within the speech, and one whenever the eyes have been
    open for 3.5 to 6 s.
    """
    rng = np.random.default_rng([0xB117, seed])
    pauses = [p.start for p in phonemes if not p.symbol and p.start > 0 and p.end - p.start >= _BLINK_PAUSE]
    due = [int((start + _BLINK_DELAY) * FPS) for start in pauses]
    shut = np.zeros(frames + 8)
    last, patience = 0, int(rng.uniform(3.5, 6.0) * FPS)
    for at in [*due, frames]:
        while at - last > patience:
            last += patience
            _blink_at(shut, last)
            patience = int(rng.uniform(3.5, 6.0) * FPS)
        if at < frames and at - last >= _BLINK_REST * FPS:
            _blink_at(shut, at)
            last = at
    return shut[:frames]


def _blink_at(shut: np.ndarray, frame: int) -> None:
    shut[frame : frame + len(_BLINK)] = _BLINK


def _grid(seconds: float) -> np.ndarray:
    return np.arange(int(np.ceil((seconds + 0.1) * _GRID))) / _GRID


def _bump(grid: np.ndarray, start: float, end: float, ramp: float) -> np.ndarray:
    """1 in start..end, falling smoothly to 0 within `ramp` seconds on both sides."""
    if end < start:
        return np.zeros_like(grid)
    distance = np.maximum(np.maximum(start - grid, grid - end), 0)
    return 1 - smooth_step(distance / ramp)


def smooth_step(x: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, level at both ends."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _blur(curve: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur; sigma in seconds; beyond its ends the curve keeps its last value."""
    reach = int(3.5 * sigma * _GRID)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (sigma * _GRID)) ** 2)
    return np.convolve(np.pad(curve, reach, mode="edge"), kernel / kernel.sum(), "valid")
