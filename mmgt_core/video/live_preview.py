"""Something to look at while a clip is denoised: now and then the newest frame, as it looks so far."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .scheduler import Schedule

SECONDS = 10.0  # between two images
SHARE = 0.02  # of the time, at most, goes into images

Picture = NDArray[np.uint8]


class LivePreview:
    """Decodes a frame every ten seconds, less often where the decoder is slow.

    Args:
        decode: scaled latents (1, 4, h, w) -> uint8 RGB (height, width, 3).
        every: seconds between two images, and before the first.
    """

    def __init__(self, decode: Callable[[Tensor], Picture], every: float = SECONDS):
        self._decode, self._every = decode, every
        self._next = time.monotonic() + every

    @property
    def due(self) -> bool:
        """Whether it is time for the next image."""
        return time.monotonic() >= self._next

    def image(self, schedule: Schedule, v: Tensor, noisy: Tensor, timestep: int) -> Picture | None:
        """The image that a prediction v (4, h, w) for these noisy latents stands for, when it is due."""
        if not self.due:
            return None
        begin = time.monotonic()
        at = torch.tensor([timestep])
        picture = self._decode(schedule.predicted_latents(v[None], noisy[None], at))
        end = time.monotonic()
        self._next = end + max(self._every, (end - begin) / SHARE if self._every else 0.0)
        return picture
