"""Figures of Stage I: does the motion follow the sound, start in its pose, rest in silence, not jitter?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ...base.correlation import pearson
from ...pose.motion import Motion
from ...pose.mouth import aperture
from ..metrics import motion as measure
from ..metrics.bootstrap import Interval, bootstrap, mean, percentile
from ..metrics.journal import Journal, Record
from .figures import Beside, Bound, Figure
from .inputs import EvaluationInputs
from .plan import Plan
from .rows import STAGE1, DemoRow
from .steps import Steps

STAGE = "stage1"


class MotionSource(Protocol):
    """What makes motion from sound: the model under test, or in tests the truth itself."""

    def __call__(
        self, features: Tensor, first_pose: Tensor, *, seed: int, first_pose_ramp: bool = True
    ) -> Tensor:
        """features (B, 80, channels), first_pose (B, 134, 3) -> keypoints (B, 80, 134, 3)."""
        ...


def stage1_steps(windows: int, silent_windows: int, plan: Plan) -> int:
    """How many pieces of work `measure_stage1` reports for so many windows of speech and of silence."""
    return 2 * _pieces(windows, plan) + _pieces(silent_windows, plan) + 1


def measure_stage1(
    source: MotionSource, inputs: EvaluationInputs, plan: Plan, journal: Journal, steps: Steps
) -> list[Figure]:
    """All Stage I rows of the table."""
    windows = len(inputs.speech_features)
    truth = inputs.speech_keypoints
    # Always another utterance, and its other window: utterances begin alike, with silence.
    other = torch.arange(windows).roll(windows // 2 + 1)
    sounds = {
        "own": (inputs.speech_features, truth[:, 0]),
        "other": (inputs.speech_features[other], truth[:, 0]),
        "none": (inputs.silent_features, inputs.silent_pose),
    }
    records = {
        row.name: _measured(row, source, *sounds[row.row.sound], truth, inputs.seed, plan, journal, steps)
        for row in STAGE1
    }
    speech, shuffled, silence, plain = records.values()
    return _figures(speech, shuffled, silence, plain, inputs)


def _measured(
    row: DemoRow,
    source: MotionSource,
    features: Tensor,
    first_pose: Tensor,
    truth: Tensor,
    seed: int,
    plan: Plan,
    journal: Journal,
    steps: Steps,
) -> list[Record]:
    """One record for each window; the model runs only for batches that the journal does not hold."""
    records: list[Record] = []
    count = len(features) if row.ramp else min(len(features), plan.motion_batch)
    for start in range(0, count, plan.motion_batch):
        batch = range(start, min(start + plan.motion_batch, count))
        made: dict[int, Motion] = {}

        def record(index: int, batch: range = batch, made: dict[int, Motion] = made) -> Record:
            if not made:
                rows = slice(batch.start, batch.stop)
                keypoints = source(
                    features[rows], first_pose[rows], seed=seed + batch.start, first_pose_ramp=row.ramp
                ).cpu()
                made.update({i: Motion(keypoint) for i, keypoint in zip(batch, keypoints, strict=True)})
            if row.row.sound == "none":
                return _liveliness(made[index])
            if not row.ramp:
                return {"first": _start_error(made[index], truth[index])}
            return _against(made[index], truth[index])

        records += [journal.once(f"{row.name}/{i}", lambda i=i: record(i)) for i in batch]
        steps.step()
    return records


def _against(motion: Motion, truth: Tensor) -> Record:
    true = Motion(truth)
    return {
        "lips": float(pearson(aperture(motion), aperture(true))),
        "wrists": float(pearson(measure.wrist_speed(motion), measure.wrist_speed(true))),
        "first": _start_error(motion, truth),
        "hand_acceleration": measure.acceleration(motion, measure.HANDS),
        "hand_acceleration_true": measure.acceleration(true, measure.HANDS),
        "lip_acceleration": measure.acceleration(motion, measure.LIPS),
        "lip_acceleration_true": measure.acceleration(true, measure.LIPS),
        **_liveliness(motion),
    }


def _liveliness(motion: Motion) -> Record:
    return {
        "aperture_variance": float(aperture(motion).var()),
        "wrist_speed": float(measure.wrist_speed(motion).mean()),
    }


def _start_error(motion: Motion, truth: Tensor) -> float:
    return measure.first_frame_error(motion, Motion(truth[:1]))


def _figures(
    speech: list[Record],
    shuffled: list[Record],
    silence: list[Record],
    plain: list[Record],
    inputs: EvaluationInputs,
) -> list[Figure]:
    speaking = [i for i, speaks in enumerate(inputs.speaks.tolist()) if speaks]
    clips = [int(inputs.speech_clip[i]) for i in speaking]

    def column(records: list[Record], name: str) -> np.ndarray:
        return np.array([record[name] for record in records])

    def spoken(records: list[Record], name: str) -> list[np.ndarray]:
        """The windows that speak, those of one utterance together: they are drawn together."""
        values: dict[int, list[float]] = {}
        for clip, i in zip(clips, speaking, strict=True):
            values.setdefault(clip, []).append(records[i][name])
        return [np.array(value) for value in values.values()]

    def over_windows(
        records: list[Record], name: str, statistic: Callable[[np.ndarray], float] = mean
    ) -> Interval:
        return _by_clip(lambda parts: statistic(np.concatenate(parts)), spoken(records, name))

    def ratio(name: str) -> Interval:
        pairs = [
            np.stack(pair) for pair in zip(spoken(speech, name), spoken(speech, f"{name}_true"), strict=True)
        ]
        return _by_clip(lambda parts: _quotient(*np.concatenate(parts, axis=1).mean(1)), pairs)

    def quiet(name: str) -> Interval:
        still, moving = column(silence, name), np.array([part.mean() for part in spoken(speech, name)])
        return bootstrap(lambda a, b: 100 * _quotient(a.mean(), b.mean()), still, moving)

    count, near_one = len(speaking), Bound(0.5, 1.3)

    def figure(
        name: str,
        value: Interval,
        floor: Bound,
        goal: Bound | None,
        *beside: Beside,
        unit: str = "",
        clips=count,
    ):
        return Figure(STAGE, name, value, floor, goal, unit, beside, clips)

    no_ramp = Beside("without the ramp", bootstrap(mean, column(plain, "first")))
    return [
        figure(
            "lip aperture, correlation, mean", over_windows(speech, "lips"), Bound(0.75), Bound(0.85),
            Beside("shuffled audio", over_windows(shuffled, "lips"), Bound(high=0.15)),
        ),
        figure(
            "lip aperture, correlation, 10th percentile", over_windows(speech, "lips", percentile(10)),
            Bound(0.5), Bound(0.7),
        ),
        figure(
            "wrist speed, correlation", over_windows(speech, "wrists"), Bound(0.35), Bound(0.5),
            Beside("shuffled audio", over_windows(shuffled, "wrists"), Bound(high=0.12)),
        ),
        figure(
            "frame 0 against the given pose", bootstrap(mean, column(speech, "first")), Bound(high=0.5),
            Bound(high=0.1), no_ramp, unit="px", clips=len(speech),
        ),
        figure(
            "silence: aperture variance over that of speech", quiet("aperture_variance"), Bound(high=2),
            Bound(high=0.5), unit="%", clips=len(silence),
        ),
        figure(
            "silence: wrist speed over that of speech", quiet("wrist_speed"), Bound(high=15), Bound(high=5),
            unit="%", clips=len(silence),
        ),
        figure("hand acceleration over the truth's", ratio("hand_acceleration"), near_one, None),
        figure("lip acceleration over the truth's", ratio("lip_acceleration"), near_one, None),
    ]  # fmt: skip


def _by_clip(statistic: Callable[[list[np.ndarray]], float], parts: list[np.ndarray]) -> Interval:
    """Bootstrap where a clip is a list of windows, of any number."""
    return bootstrap(lambda chosen: statistic([parts[int(i)] for i in chosen]), np.arange(len(parts)))


def _quotient(a: float, b: float) -> float:
    return float(a / b) if b > 0 else float("inf")


def _pieces(windows: int, plan: Plan) -> int:
    return -(-windows // plan.motion_batch)
