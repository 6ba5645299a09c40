"""Figures of long clips: what shows where windows meet, and what drifts (docs/windows.md)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ...base.correlation import pearson
from ...base.progress import Progress, silent
from ...base.timebase import FPS
from ...pose.motion import Motion
from ...pose.mouth import aperture
from ...smga.generate import generate_motion
from ...smga.overlap import overlapping_starts
from ...smga.sampling import MotionSampling
from ..metrics.bootstrap import Interval, bootstrap, over_groups
from ..metrics.seams import PARTS, at_seams, liveliness, shape_change
from ..presenter.held_out import held_out_seed
from ..scores.report import table

if TYPE_CHECKING:
    from ...smga.network import SMGA

FIRST_CLIP = 700_000  # indices of held-out seeds that no other evaluation takes
LONG_CLIPS = 2  # recordings that are measured over minutes


@dataclass(frozen=True)
class LongClip:
    """A held-out speech: features (frames, 35) and its true motion (frames, 134, 3)."""

    features: Tensor
    truth: Motion


@dataclass(frozen=True)
class Way:
    """One way to make a long motion: its name, and what `generate_motion` is varied."""

    name: str
    settings: dict[str, Any]

    def seams(self, frames: int, window: int) -> list[int]:
        """Frames at which a window ends and the next goes on alone."""
        chaining = self.settings["chaining"]
        if chaining == "overlap":
            overlap = self.settings["overlap"]
            return [start + overlap // 2 for start in overlapping_starts(frames, window, overlap)[1:]]
        stride = window if chaining == "official" else window - 1
        # The published order puts the first pose in front: its joints lie one frame later.
        return list(range(stride + (chaining == "official"), frames, stride))


OVERLAPPING = Way("overlapping by 20", {"chaining": "overlap", "overlap": 20})
CHAINED = Way("chained", {"chaining": "chained"})
OFFICIAL = Way("official", {"chaining": "official"})
QUICK_WAYS = (OVERLAPPING, CHAINED, OFFICIAL)
WAYS = (
    OVERLAPPING,
    Way("overlapping by 10", {"chaining": "overlap", "overlap": 10}),
    CHAINED,
    Way("chained, best of 5", {"chaining": "chained", "candidates": 5}),
    OFFICIAL,
    Way("official, best of 5", {"chaining": "official", "candidates": 5}),
)


@dataclass(frozen=True)
class MotionRow:
    """One way's figures.

    Attributes:
        name: of the way.
        seams: by part and "speed" or "acceleration": 95th percentile at seams over that inside windows.
        over: the same keys: percent of seams above the 95th percentile inside; 5 where seams do not show.
        lips: correlation of the lip aperture with the truth's.
        seconds: of computing one second of motion.
    """

    name: str
    seams: dict[tuple[str, str], Interval]
    over: dict[tuple[str, str], float]
    lips: Interval
    seconds: float


def long_clip(index: int, seconds: float, run: int = 0) -> LongClip:
    """The index-th held-out speech of so many seconds; needs espeak-ng."""
    from ...audio.prosody import prosody
    from ...media.waveform import Waveform
    from ..presenter.clip import make_clip

    sentences = max(4, round(seconds / 2))
    seed = held_out_seed(run, FIRST_CLIP + index)
    clip = make_clip(seed, sentences=sentences, seconds=seconds, held_out=True)
    waveform = Waveform(clip.utterance.samples, clip.utterance.rate)
    frames = waveform.frames
    return LongClip(torch.from_numpy(prosody(waveform)), clip.performance.motion.window(slice(0, frames)))


def measure_seams(
    model: SMGA, clips: Sequence[LongClip], ways: Sequence[Way] = WAYS, progress: Progress = silent
) -> list[MotionRow]:
    """A row for the truth, cut where the first way has its seams, and for each way."""
    window, done, total = model.config.frames, 0, len(ways) * len(clips)
    rows = [
        _row("the truth", [c.truth for c in clips], clips, ways[0].seams(len(clips[0].features), window), 0.0)
    ]
    for way in ways:
        motions, started = [], time.perf_counter()
        for seed, clip in enumerate(clips):
            first = clip.truth.window([0])
            motions.append(
                generate_motion(model, clip.features, first, MotionSampling(seed=seed, **way.settings))
            )
            done += 1
            progress(done, total)
        spoken = sum(len(clip.features) for clip in clips) / FPS
        cost = (time.perf_counter() - started) / spoken
        rows.append(_row(way.name, motions, clips, way.seams(len(clips[0].features), window), cost))
    return rows


def measure_drift(
    model: SMGA, clips: Sequence[LongClip], way: Way, progress: Progress = silent
) -> list[float]:
    """For each minute, the largest relative change of a body length against frame 0; worst of the clips."""
    changes = []
    for seed, clip in enumerate(clips):
        sampling = MotionSampling(seed=seed, **way.settings)
        motion = generate_motion(model, clip.features, clip.truth.window([0]), sampling)
        minutes = range(0, motion.frames, 60 * FPS)
        changes.append([shape_change(motion, slice(start, start + 60 * FPS)) for start in minutes])
        progress(seed + 1, len(clips))
    return np.max(changes, axis=0).tolist()


def motion_table(rows: Sequence[MotionRow]) -> str:
    """The rows as a table in Markdown."""
    keys = list(rows[0].seams)
    head = ["", *(f"{part} {what}" for part, what in keys), "seams over, mean", "lips r", "s per s"]
    lines = []
    for row in rows:
        figures = [_interval(row.seams[key]) for key in keys]
        over = f"{np.mean(list(row.over.values())):.0f} %"
        lines.append([row.name, *figures, over, f"{row.lips.value:.3f}", f"{row.seconds:.2f}"])
    return table(head, lines)


def drift_table(drifts: dict[str, list[float]]) -> str:
    """Change of shape by minute, in percent, as a table in Markdown."""
    minutes = len(next(iter(drifts.values())))
    head = ["minute", *(str(minute + 1) for minute in range(minutes))]
    rows = [[name, *(f"{100 * change:.1f}" for change in changes)] for name, changes in drifts.items()]
    return table(head, rows)


def _row(
    name: str, motions: Sequence[Motion], clips: Sequence[LongClip], seams: Sequence[int], seconds: float
) -> MotionRow:
    ratios: dict[tuple[str, str], Interval] = {}
    over: dict[tuple[str, str], float] = {}
    for part, points in PARTS.items():
        for what, values in zip(
            ("speed", "acceleration"),
            zip(*(liveliness(motion, points) for motion in motions), strict=True),
            strict=True,
        ):
            pairs = [at_seams(value, seams) for value in values]
            ratios[part, what] = over_groups(_percentile_ratio, pairs, rounds=300)
            limit = np.percentile(np.concatenate([inside for _, inside in pairs]), 95)
            over[part, what] = float(100 * np.mean(np.concatenate([here for here, _ in pairs]) > limit))
    lips = [
        float(pearson(aperture(motion), aperture(clip.truth)))
        for motion, clip in zip(motions, clips, strict=True)
    ]
    return MotionRow(name, ratios, over, bootstrap(lambda r: float(r.mean()), lips), seconds)


def _percentile_ratio(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    here, inside = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return float(np.percentile(here, 95) / np.percentile(inside, 95))


def _interval(value: Interval) -> str:
    return f"{value.value:.2f} ({value.low:.2f}-{value.high:.2f})"
