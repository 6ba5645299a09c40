"""What is measured and how; all of it is written beside the figures."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ...base.errors import InputError
from ...base.timebase import FPS
from .beats import Event
from .image_scores import SIZE


@dataclass(frozen=True)
class ScoreSettings:
    """Parameters of the figures.

    Attributes:
        lag_ms: milliseconds by which the lips are moved against the sound, to both sides.
        beat_sigma: seconds, the width of the Gaussian of beat alignment.
        beat_event: what counts in a wrist's speed.
        image_step: every N-th frame goes through the networks of FID, KID and face FID.
        seed: of intervals and random samples.
    """

    lag_ms: float = 200.0
    beat_sigma: float = 0.1
    beat_event: Event = "minima"
    image_step: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.lag_ms <= 1000 or not 0 < self.beat_sigma <= 10 or self.image_step < 1:
            raise InputError(
                f"lag_ms is {self.lag_ms:g}, beat_sigma {self.beat_sigma:g}, image_step {self.image_step}",
                fix="choose lags of 0 to 1000 ms, a sigma above 0 and up to 10 s, a step of at least 1",
            )

    def to_json(self) -> dict[str, Any]:
        """All values, with the constants that decide figures too."""
        return {**asdict(self), "image_size": SIZE, "fps": FPS}
