"""The figures of one clip's motion: against its sound, by itself, and against the true motion."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...audio.lip_sync import Curve, closed_share, lag_curve, loudness
from ...audio.silence_gate import silence_gate
from ...base.timebase import FPS
from ...media.waveform import Waveform
from ...pose import skeleton
from ...pose.motion import Motion
from ...pose.mouth import aperture, canvas_points
from ...pose.visibility import visible_points
from ..metrics.journal import Record
from ..metrics.motion import HANDS, LIPS, WRISTS
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
        with sound "beat", "beat_chance", "lips_sound@LAG" for each lag, "mouth_closed", "hands_silent".
        NaN where a figure has no meaning for this clip.
    """
    record = {**hand_scores(motion), "jerk": jerk(motion), "shape_drift": drift(motion)}
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
        count); "lips_truth@LAG" for each lag.
    """
    frames = min(motion.frames, truth.frames)
    motion, truth = motion.window(slice(0, frames)), truth.window(slice(0, frames))
    seen = torch.from_numpy(visible_points(truth, legs=False))
    seen[:, skeleton.FEET] = False
    square = (canvas_points(motion) - canvas_points(truth)).square().sum(-1)
    parts = {"rmse": slice(None), "rmse_lips": list(LIPS), "rmse_hands": list(HANDS)}
    record = {name: _root(square[:, part], seen[:, part]) for name, part in parts.items()}
    return record | lag_entries("truth", lag_curve(opening(motion), opening(truth), lag_ms))


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
    seen = torch.from_numpy(visible_points(motion))[:, list(BODY)]
    third = canvas_points(motion)[:, list(BODY)].double().diff(n=3, dim=0).norm(dim=-1) * FPS**3
    frames = len(third)
    if frames == 0:
        return NAN
    kept = seen[:frames] & seen[1 : frames + 1] & seen[2 : frames + 2] & seen[3 : frames + 3]
    return float(third[kept].mean()) if bool(kept.any()) else NAN


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
    speed = _wrist_speed(motion)[: frames - 1]
    still = quiet[1:] & quiet[:-1]
    speech = float(speed[~still].mean()) if (~still).any() else 0.0
    ratio = float(speed[still].mean()) / speech if still.any() and speech > 1e-6 else NAN
    return {"mouth_closed": closed, "hands_silent": ratio}


def _wrist_speed(motion: Motion) -> NDArray[np.float64]:
    """(frames - 1,) mean over the wrists."""
    return canvas_points(motion)[:, list(WRISTS)].double().diff(dim=0).norm(dim=-1).mean(1).numpy()


def _root(square: Tensor, seen: Tensor) -> float:
    return float(square[seen].double().mean().sqrt()) if bool(seen.any()) else NAN
