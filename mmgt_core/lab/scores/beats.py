"""Beat alignment: do the hands change their motion where the voice has an onset?"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...audio.silence_gate import silence_gate
from ...base.timebase import FPS, SAMPLE_RATE
from ...media.waveform import Waveform
from ...pose import skeleton
from ...pose.motion import Motion
from ...pose.mouth import canvas_points
from ...pose.visibility import visible_points
from ..metrics.motion import WRISTS

Event = Literal["minima", "peaks"]
ONSET_HOP = 160  # samples at 16 kHz: onsets are located to 10 ms
SMOOTHING = 1.0  # frames, sigma of the Gaussian over the speed
PROMINENCE = 0.1  # of the 95th percentile of the speed, by which an event stands out
APART = 4  # frames between two events of one wrist
SEEN = 0.5  # share of the frames in which a wrist must be visible
SHIFTS = 20  # circular shifts of the motion that make the chance level

Times = NDArray[np.float64]


class Beats(NamedTuple):
    """Beat alignment of one clip.

    Attributes:
        score: in 0..1; 1: each event of a wrist has an onset at its very moment; NaN without any.
        chance: mean score of the same events shifted in a circle, which a motion deaf to the voice has.
        events, onsets: how many there are.
    """

    score: float
    chance: float
    events: int
    onsets: int


def beats(motion: Motion, sound: Waveform, *, sigma: float = 0.1, event: Event = "minima") -> Beats:
    """Mean over the events of both wrists of exp(-d^2 / (2 sigma^2)), d seconds to the nearest onset.

    Args:
        motion: (n, 134, 3). sound: of any rate.
        sigma: seconds.
        event: what counts in a wrist's speed: its minima, where a stroke ends, or its peaks.
    """
    seconds = motion.frames / FPS
    onsets = sound_onsets(sound)
    onsets = onsets[onsets < seconds]
    events = wrist_events(motion, event)
    if not len(onsets) or not len(events):
        return Beats(float("nan"), float("nan"), len(events), len(onsets))
    steps = np.arange(1, SHIFTS + 1) / (SHIFTS + 1) * seconds
    shifted = [closeness((events + step) % seconds, onsets, sigma) for step in steps]
    return Beats(closeness(events, onsets, sigma), float(np.mean(shifted)), len(events), len(onsets))


def closeness(events: Times, onsets: Times, sigma: float) -> float:
    """Mean over events of exp(-d^2 / (2 sigma^2)), d seconds to the nearest onset; neither is empty."""
    distance = np.abs(events[:, None] - onsets[None]).min(axis=1)
    return float(np.exp(-(distance**2) / (2 * sigma**2)).mean())


def sound_onsets(sound: Waveform) -> Times:
    """Seconds of librosa's onsets (at 16 kHz, hop of 10 ms, all else its defaults) where somebody speaks."""
    import librosa

    samples = sound.resampled(SAMPLE_RATE).samples
    times = librosa.onset.onset_detect(y=samples, sr=SAMPLE_RATE, hop_length=ONSET_HOP, units="time")
    gate = silence_gate(sound)
    frames = np.minimum((np.asarray(times) * FPS).astype(int), len(gate) - 1)
    return np.asarray(times, np.float64)[gate[frames] > 0]


def wrist_events(motion: Motion, event: Event = "minima") -> Times:
    """Sorted seconds of the events of both wrists together; a wrist that is mostly hidden has none."""
    visible = visible_points(motion)
    found = [_events(motion, wrist, event) for wrist in WRISTS if visible[:, wrist].mean() >= SEEN]
    return np.sort(np.concatenate(found)) if found else np.zeros(0)


def _events(motion: Motion, wrist: int, event: Event) -> Times:
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    places = canvas_points(motion)[:, wrist].double().numpy()
    speed = np.linalg.norm(np.diff(places, axis=0), axis=1)
    if len(speed) < 3:
        return np.zeros(0)
    speed = gaussian_filter1d(speed, SMOOTHING)
    height = float(np.percentile(speed, 95))
    if height <= 1e-6:
        return np.zeros(0)  # a wrist that stands still
    curve = speed if event == "peaks" else -speed
    frames, _ = find_peaks(curve, prominence=PROMINENCE * height, distance=APART)
    return (frames + 0.5) / FPS  # the speed between two frames belongs to the middle between them


def parameters(sigma: float, event: Event) -> dict[str, object]:
    """Everything that decides the score, for the output."""
    from importlib.metadata import version

    return {
        "sigma_seconds": sigma,
        "motion_event": f"{event} of each wrist's speed, both wrists",
        "smoothing_frames": SMOOTHING,
        "prominence_of_95th_percentile": PROMINENCE,
        "distance_frames": APART,
        "sound_event": f"librosa {version('librosa')} onset_detect, 16 kHz, hop {ONSET_HOP}, in speech only",
        "direction": "each motion event to its nearest onset",
        "chance": f"{SHIFTS} circular shifts",
        "wrists": [skeleton.RIGHT_WRIST, skeleton.LEFT_WRIST],
    }
