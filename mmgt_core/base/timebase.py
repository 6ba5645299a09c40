"""The project's one clock: 25 frames a second, 16 kHz speech, windows of 80 frames (docs/method.md 1.1)."""

from __future__ import annotations

from fractions import Fraction

FPS = 25
SAMPLE_RATE = 16_000  # Hz, input of the speech encoders
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS  # 640 = 40 ms
PROSODY_HOP = 512
PROSODY_RATE = FPS * PROSODY_HOP  # 12800 Hz, so that one column of the prosody features is one frame
WINDOW_FRAMES = 80  # 3.2 s, the length SMGA was trained on


def frame_count(samples: int, rate: int = SAMPLE_RATE) -> int:
    """Frames of video that `samples` of audio at `rate` Hz last: ceil(seconds * 25), exactly, in integers."""
    return -(-samples * FPS // rate)


def frame_count_of_seconds(seconds: float) -> int:
    """ceil(seconds * 25), forgiving the last binary digit of a decimal such as 3.2 (80 frames, not 81)."""
    scaled = Fraction(seconds).limit_denominator(1_000_000) * FPS
    return -(-scaled.numerator // scaled.denominator)


def sample_count(frames: int, rate: int = SAMPLE_RATE) -> int:
    """Samples at `rate` Hz that `frames` frames last, rounded up."""
    return -(-frames * rate // FPS)
