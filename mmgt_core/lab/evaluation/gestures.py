"""Figures of gestures: sync, kinds, variety between seeds, rest, smoothness, and what a body cannot do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from ...base.correlation import pearson
from ...base.progress import Progress, silent
from ...pose.body_limits import violations
from ...pose.gesture_track import draw_track, neutral_track
from ...pose.motion import Motion
from ...pose.mouth import aperture
from ...smga.generate import generate_motion
from ...smga.sampling import MotionSampling
from ..metrics import gestures as measure
from ..metrics.bootstrap import bootstrap, mean
from ..metrics.motion import HANDS, difference_size, wrist_speed
from ..scores import report
from .gesture_clips import GestureClip

if TYPE_CHECKING:
    from ...smga.network import SMGA

STRONG = 0.35  # strength of a beat from which on it counts as a stroke
ROWS = {
    "lips: correlation with the true opening": "lips",
    "lips: correlation with the loudness": "loudness",
    "wrist speed: correlation with the truth": "wrists",
    "beat alignment": "beats",
    "beat alignment, sound of another moment": "beats_other",
    "silence: wrist speed over that of speech (%)": "rest",
    "distinct gestures": "distinct",
    "distance between seeds (shoulder widths)": "seeds",
    "hand acceleration (px/frame^2)": "jerk",
    "hand acceleration over the truth's": "jerk_ratio",
    "frames with a hand in the face (%)": "face",
    "frames with too long an arm (%)": "bones",
    "the same without body_limits: face (%)": "face_free",
    "the same without body_limits: arm (%)": "bones_free",
}


@dataclass(frozen=True)
class Performed:
    """One motion and what it is measured against.

    Attributes:
        motion, free: with body limits and without.
        truth: the motion of the rules for the same gesture track; None where nobody knows it.
        strokes: frames in which strong strokes of the rules land.
    """

    motion: Motion
    free: Motion
    truth: Motion | None
    strokes: NDArray[np.int64]


def perform_clip(model: SMGA | None, clip: GestureClip, seed: int) -> Performed:
    """The model's motion with the seed, or with `model` None that of the motion rules."""
    controlled = model is None or model.config.control_channels > 0
    track = draw_track(clip.frames, seed) if controlled else neutral_track(clip.frames)
    truth, strokes = _truth(clip, track, seed)
    if model is None:
        assert truth is not None
        return Performed(truth, truth, truth, strokes)
    given = torch.from_numpy(track) if controlled else None
    free = generate_motion(
        model, clip.features, clip.first_pose, MotionSampling(seed=seed, body_limits=False), track=given
    )
    from ...pose.body_limits import within_body_limits

    return Performed(within_body_limits(free, clip.first_pose), free, truth, strokes)


def _truth(
    clip: GestureClip, track: NDArray[np.float32], seed: int
) -> tuple[Motion | None, NDArray[np.int64]]:
    from ..presenter.identity import sample_identity
    from ..presenter.motion_rules import perform

    if clip.phonemes is None:
        return None, np.zeros(0, np.int64)
    who = sample_identity(clip.seed)
    done = perform(clip.phonemes, clip.frames / 25, who, clip.seed + seed, track=track)
    landed = np.flatnonzero(done.beats[: clip.frames] > STRONG)
    edge = measure.AROUND[-1]
    landed = landed[(landed >= edge) & (landed < clip.frames - edge)]
    return done.motion.window(slice(0, clip.frames)), landed


def measure_gestures(
    model: SMGA | None, clips: Sequence[GestureClip], seeds: int = 3, progress: Progress = silent
) -> dict[str, tuple[float, float, float]]:
    """Figures by the values of `ROWS`: value, and the ends of its 95 % interval over clips where it has one.

    Args:
        model: Stage I; None measures the motion rules, which perform only clips with phonemes.
        seeds: performances of each clip.
        progress: called after every performance.
    """
    rows: list[dict[str, float]] = []
    shapes = []
    for index, clip in enumerate(clips):
        done = []
        for seed in range(seeds):
            done.append(perform_clip(model, clip, seed))
            progress(index * seeds + seed + 1, len(clips) * seeds)
        rows.append(_clip_row(clip, done))
        shapes += [measure.stroke_shapes(p.motion, p.strokes) for p in done]
    figures = {}
    for name in ROWS.values():
        values = np.array([row[name] for row in rows if name in row and math.isfinite(row[name])])
        if len(values):
            interval = bootstrap(mean, values)
            figures[name] = (interval.value, interval.low, interval.high)
    found = np.concatenate(shapes)
    if len(found):
        figures["distinct"] = (float(measure.distinct(found)), math.nan, math.nan)
    return figures


def _clip_row(clip: GestureClip, done: Sequence[Performed]) -> dict[str, float]:
    each = [_performance_row(clip, p) for p in done]
    row = {name: float(np.nanmean([values[name] for values in each])) for name in each[0]}
    pairs = [(a, b) for i, a in enumerate(done) for b in done[i + 1 :]]
    if pairs:
        row["seeds"] = float(
            np.mean([measure.path_distance(a.motion, b.motion, clip.speaking) for a, b in pairs])
        )
    return row


def _performance_row(clip: GestureClip, p: Performed) -> dict[str, float]:
    motion, speed = p.motion, wrist_speed(p.motion).numpy()
    opening = aperture(motion)
    level = torch.from_numpy(clip.loudness[: motion.frames].copy()).float()
    row = {
        "loudness": float(pearson(opening, level.to(opening))),
        "beats": measure.beat_alignment(motion, clip.onsets),
        "beats_other": measure.beat_alignment(motion, _elsewhere(clip)),
        "jerk": difference_size(motion, HANDS, 2),
    }
    resting, speaking = clip.resting[1:], clip.speaking[1:]
    if resting.any() and speaking.any():
        row["rest"] = 100 * float(speed[resting].mean()) / max(float(speed[speaking].mean()), 1e-9)
    for suffix, shown in (("", motion), ("_free", p.free)):
        found = violations(shown, clip.first_pose)
        row["face" + suffix] = 100 * float(found.face.any(1).mean())
        row["bones" + suffix] = 100 * float(found.bones.any(1).mean())
    if p.truth is not None:
        row["lips"] = float(pearson(opening, aperture(p.truth)))
        row["wrists"] = float(pearson(wrist_speed(motion), wrist_speed(p.truth)))
        row["jerk_ratio"] = row["jerk"] / max(difference_size(p.truth, HANDS, 2), 1e-9)
    return row


def _elsewhere(clip: GestureClip) -> NDArray[np.int64]:
    """The onsets turned round within the speech: as many, at moments that have nothing to do with them."""
    spoken = np.flatnonzero(clip.speaking)
    if not len(spoken) or not len(clip.onsets):
        return clip.onsets
    return np.sort(spoken[0] + spoken[-1] - clip.onsets)


def table(columns: dict[str, dict[str, tuple[float, float, float]]]) -> str:
    """Markdown: a row a figure, a column a model and kind of voice."""
    rows = {text: [_cell(figures.get(name)) for figures in columns.values()] for text, name in ROWS.items()}
    return report.table(["figure", *columns], [[text, *cells] for text, cells in rows.items() if any(cells)])


def _cell(value: tuple[float, float, float] | None) -> str:
    if value is None:
        return ""
    number, low, high = value
    digits = 0 if math.isnan(low) else 3 if abs(number) < 10 else 1
    return f"{number:.{digits}f}" + ("" if math.isnan(low) else f" ({low:.{digits}f} .. {high:.{digits}f})")
