"""One call from a seed to a whole clip: identity, utterance, performance and images."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...base.timebase import SAMPLE_RATE
from .draw import draw_frame
from .figure import rest_pose
from .identity import Identity, sample_identity
from .motion_rules import Performance, perform
from .sentences import paragraph
from .speech import Utterance, pad, sample_voice, speak


@dataclass(frozen=True)
class Clip:
    """A presenter who says something; images are drawn when asked for."""

    identity: Identity
    utterance: Utterance
    performance: Performance

    @property
    def frames(self) -> int:
        return self.performance.motion.frames

    def picture(self, frame: int, size: int = 256) -> np.ndarray:
        """uint8 RGB (size, size, 3) of one frame."""
        return draw_frame(self.identity, self.performance.motion.keypoints[frame].numpy(), size)

    def portrait(self, size: int = 256) -> np.ndarray:
        """uint8 RGB (size, size, 3) of the presenter at rest."""
        return draw_frame(self.identity, rest_pose(self.identity), size)


def make_clip(
    seed: int, *, sentences: int | None = None, seconds: float | None = None, held_out: bool = False
) -> Clip:
    """A clip of 3 to 10 s (or exactly `seconds`, cut or padded with silence); all follows from `seed`.

    `held_out` takes voices that training clips never use; give evaluation seeds of their own range besides.
    """
    utterance = sample_utterance(seed, sentences=sentences, seconds=seconds, held_out=held_out)
    identity = sample_identity(seed)
    return Clip(identity, utterance, perform(utterance.phonemes, utterance.seconds, identity, seed))


def sample_utterance(
    seed: int, *, sentences: int | None = None, seconds: float | None = None, held_out: bool = False
) -> Utterance:
    """The speech of the clip with this seed: one to three sentences between 0.2 to 0.8 s of silence.

    Raises:
        DependencyError: libespeak-ng is not installed.
    """
    rng = np.random.default_rng([0xC11B, seed])
    count = int(rng.integers(1, 4)) if sentences is None else sentences
    before, after = rng.uniform(0.2, 0.8, 2)
    utterance = speak(
        paragraph(seed, count, held_out=held_out),
        sample_voice(seed, held_out=held_out),
        before=before,
        after=after,
    )
    return utterance if seconds is None else fit(utterance, seconds)


def fit(utterance: Utterance, seconds: float) -> Utterance:
    """The first `seconds` of an utterance, with silence added where it is shorter."""
    if utterance.seconds < seconds:
        utterance = pad(utterance, 0.0, seconds - utterance.seconds)
    kept = [replace(p, end=min(p.end, seconds)) for p in utterance.phonemes if p.start < seconds]
    return replace(utterance, samples=utterance.samples[: round(seconds * SAMPLE_RATE)], phonemes=tuple(kept))
