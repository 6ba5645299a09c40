"""The figures of one clip's motion: against its sound, by itself, and against the true motion."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ...audio.lip_sync import Curve, closed_share, lag_curve, loudness
from ...audio.silence_gate import silence_gate
from ...base.correlation import pearson
from ...base.timebase import FPS
from ...media.waveform import Waveform
from ...pose import skeleton
from ...pose.motion import Motion
from ...pose.mouth import aperture, canvas_points
from ...pose.visibility import visible_points
from ..metrics.journal import Record
from ..metrics.motion import HANDS, LIPS, difference_size, first_frame_error, wrist_speed
from ..metrics.seams import shape_change
from .beats import Event, beats

NAN = float("nan")
SHORTEST_PAUSE = FPS // 5  # silent frames that a clip must have for the figures of silence
HALF = 0.5  # of a hand's 21 points that must be visible
BODY = (*range(skeleton.RIGHT_SHOULDER, skeleton.LEFT_WRIST + 1), *HANDS)
Reference = Literal["sound", "truth"]


def motion_scores(
    motion: Motion, sound: Waveform | None, *, lag_ms: float, sigma: float, event: Event
) -> Record:
    """What needs no truth.

    Args:
        motion: (n, 134, 3) of at least 4 frames. sound: what is said; without it only jerk and hands.
        lag_ms: lags of the lips to both sides; sigma, event: of `beats`.

    Returns:
        "hands_seen" and "hand_score" in 0..1; "jerk" in px of 512 per second cubed; "shape_drift", a ratio;
        "hand_acceleration", "lip_acceleration", "wrist_speed" in px a frame (squared), "opening_variance" in
        px squared;
        with sound "beat", "beat_chance", "lips_sound@LAG" for each lag, "mouth_closed", "hands_silent".
        NaN where a figure has no meaning for this clip.
    """
    record = {**hand_scores(motion), **liveliness(motion), "jerk": jerk(motion), "shape_drift": drift(motion)}
    if sound is None:
        return record
    found = beats(motion, sound, sigma=sigma, event=event)
    record |= {"beat": found.score, "beat_chance": found.chance}
    record |= {"beat_events": found.events / motion.frames * FPS, "onsets": found.onsets / sound.seconds}
    curve = lag_curve(opening(motion), loudness(sound), lag_ms)
    return record | lag_entries("sound", curve) | silence_scores(motion, sound)


def truth_scores(motion: Motion, truth: Motion, *, lag_ms: float) -> Record:
    """Distances to the true motion over the frames that both have.

    Returns:
        "rmse", "rmse_lips" and "rmse_hands" in px of 512, over points that the truth shows (legs do not
        count); "lips_truth@LAG" for each lag; "wrists_truth", the correlation of wrist speeds; "first_pose",
        the mean distance of frame 0 in px of 512.
    """
    frames = min(motion.frames, truth.frames)
    motion, truth = motion.window(slice(0, frames)), truth.window(slice(0, frames))
    seen = torch.from_numpy(visible_points(truth, legs=False))
    seen[:, skeleton.FEET] = False
    square = (canvas_points(motion) - canvas_points(truth)).square().sum(-1)
    parts = {"rmse": slice(None), "rmse_lips": list(LIPS), "rmse_hands": list(HANDS)}
    record = {name: _root(square[:, part], seen[:, part]) for name, part in parts.items()}
    record["wrists_truth"] = float(pearson(wrist_speed(motion), wrist_speed(truth)))
    record["first_pose"] = first_frame_error(motion, truth)
    return record | lag_entries("truth", lag_curve(opening(motion), opening(truth), lag_ms))


def liveliness(motion: Motion) -> Record:
    """How much lips and hands move; accelerations are NaN where a part is not visible."""
    return {
        "hand_acceleration": difference_size(motion, HANDS, 2),
        "lip_acceleration": difference_size(motion, LIPS, 2),
        "opening_variance": float(aperture(motion).var()),
        "wrist_speed": float(wrist_speed(motion).mean()),
    }


def opening(motion: Motion) -> Curve:
    """(frames,) distance of the inner lips in px of 512."""
    return aperture(motion).double().numpy()


def lag_entries(reference: Reference, curve: dict[int, float]) -> Record:
    """A curve over lags as entries of a record."""
    return {f"lips_{reference}@{lag:+d}": value for lag, value in curve.items()}


def hand_scores(motion: Motion) -> Record:
    """Share of hands that are visible (at least half of their points), and their points' mean score."""
    visible = visible_points(motion)
    hands = (skeleton.LEFT_HAND, skeleton.RIGHT_HAND)
    shown = np.stack([visible[:, hand].mean(axis=1) >= HALF for hand in hands])
    return {
        "hands_seen": float(shown.mean()),
        "hand_score": float(motion.keypoints[:, list(HANDS), 2].clamp(0, 1).mean()),
    }


def jerk(motion: Motion) -> float:
    """Mean size of the third difference of arms' and hands' positions, px of 512 per second cubed.

    Only where a point is visible in all four frames; NaN where there are none.
    """
    return difference_size(motion, BODY, 3) * FPS**3


def drift(motion: Motion) -> float:
    """Largest relative change of lengths that a person keeps, the last second against frame 0.

    NaN where one of these points is not visible then.
    """
    from ..metrics.seams import SHAPE

    last = slice(max(motion.frames - FPS, 1), None)
    points = sorted({point for pair in SHAPE for point in pair})
    seen = visible_points(motion)[:, points]
    if motion.frames < 2 or not (seen[0].all() and seen[last].all()):
        return NAN
    return shape_change(motion, last)


def silence_scores(motion: Motion, sound: Waveform) -> Record:
    """Mouth and hands while nobody speaks; NaN for clips with less than 0.2 s of silence.

    Returns:
        "mouth_closed": share of silent frames in which the mouth is open by at most a tenth of its range;
        "hands_silent": mean speed of the wrists in silence over that in speech.
    """
    gate = silence_gate(sound)
    frames = min(motion.frames, len(gate))
    quiet = gate[:frames] == 0
    if quiet.sum() < SHORTEST_PAUSE:
        return {"mouth_closed": NAN, "hands_silent": NAN}
    lips = opening(motion)[:frames]
    closed = closed_share(lips, quiet)
    speed = wrist_speed(motion).double().numpy()[: frames - 1]
    still = quiet[1:] & quiet[:-1]
    speech = float(speed[~still].mean()) if (~still).any() else 0.0
    ratio = float(speed[still].mean()) / speech if still.any() and speech > 1e-6 else NAN
    return {"mouth_closed": closed, "hands_silent": ratio}


def _root(square: Tensor, seen: Tensor) -> float:
    return float(square[seen].double().mean().sqrt()) if bool(seen.any()) else NAN
