"""How the portrait was fitted to the video's size, and the way back: finished frames in the
portrait's own framing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .framing import Framing

SEAM = 1 / 24  # of a frame's side, along which a pasted crop fades into the portrait

Pixels = NDArray[np.uint8]
Size = tuple[int, int]
"""(width, height) in pixels."""


@dataclass(frozen=True, eq=False)
class PortraitFraming:
    """The portrait of a video and how it was fitted.

    Attributes:
        framing: the fit of the portrait to the sampled size.
        image: the portrait, uint8 (height, width, 3), as it was given.
    """

    framing: Framing
    picture: Pixels

    def size(self, decoded: Size) -> Size:
        """The size of the whole portrait at the scale of frames that were decoded at `decoded`; both even."""
        width, height = self._whole(decoded)
        return max(2, width // 2 * 2), max(2, height // 2 * 2)

    def is_whole(self, decoded: Size) -> bool:
        """Whether such frames show the whole portrait, and nothing else, as they are."""
        return self.framing.offset == (0, 0) and self._whole(decoded) == decoded

    def portrait(self, decoded: Size) -> Pixels:
        """The portrait as the restored frames show it, (height, width, 3)."""
        return _even(_resized(self.picture, self._whole(decoded)))

    def restore(self, frames: Pixels) -> Pixels:
        """Decoded frames (n, height, width, 3) -> the whole portrait in motion, at the same scale.

        Padding is cut off, a crop is pasted back into the portrait with soft edges, what was stretched gets
        its shape back. Both sides of the result are even, as video formats want them.
        """
        decoded = (frames.shape[2], frames.shape[1])
        (width, height), whole = decoded, self._whole(decoded)
        grow = width / self.framing.target[0], height / self.framing.target[1]
        left, top = (round(o * g) for o, g in zip(self.framing.offset, grow, strict=True))
        resized = tuple(round(r * g) for r, g in zip(self.framing.resized, grow, strict=True))
        fit = Framing(source=whole, target=decoded, resized=(resized[0], resized[1]), offset=(left, top))
        if left >= 0 and top >= 0:
            return _even(fit.restore(frames))
        still = _resized(self.picture, whole)
        shown = _paste_weights(whole, decoded, (left, top))
        restored = fit.restore(frames, still)
        for frame in restored:  # a frame at a time: the blend is in float32
            frame[:] = np.rint(still + (frame.astype(np.float32) - still) * shown)
        return _even(restored)

    def _whole(self, decoded: Size) -> Size:
        fit = self.framing
        grow = decoded[0] / fit.target[0], decoded[1] / fit.target[1]
        if fit.resized == fit.target and fit.offset == (0, 0):  # stretched, or of the right shape already
            area = math.prod(decoded) / math.prod(fit.source)
            return _rounded(fit.source, (math.sqrt(area), math.sqrt(area)))
        return _rounded(fit.resized, grow)


def _rounded(size: Size, scale: tuple[float, float]) -> Size:
    return max(1, round(size[0] * scale[0])), max(1, round(size[1] * scale[1]))


def _resized(picture: Pixels, size: Size) -> Pixels:
    if picture.shape[1::-1] == size:
        return picture
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def _even(pictures: Pixels) -> Pixels:
    """Without the last row or column where their number is odd; images (..., height, width, 3)."""
    height, width = (max(2, side // 2 * 2) for side in pictures.shape[-3:-1])
    return pictures[..., :height, :width, :]


def _paste_weights(whole: Size, crop: Size, offset: tuple[int, int]) -> NDArray[np.float32]:
    """float32 (height, width, 1): 1 where the pasted crop is seen, fading out towards the edges it
    was cut at.
    """
    ramps = []
    for side, length, start in zip(whole, crop, offset, strict=True):
        first, soft = max(0, -start), max(1.0, length * SEAM)
        place = np.arange(side, dtype=np.float32) + 0.5
        ramp = np.ones(side, np.float32)
        if first > 0:
            ramp = np.minimum(ramp, (place - first) / soft)
        if first + length < side:
            ramp = np.minimum(ramp, (first + length - place) / soft)
        ramps.append(np.clip(ramp, 0, 1))
    across, down = ramps
    return (down[:, None] * across[None, :])[..., None]
