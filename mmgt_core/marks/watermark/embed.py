"""Embeds the watermark: each frame gets the pattern in its brightness, stronger where texture hides it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from .pattern import TILE, tile

STRENGTH = 2.0  # gray levels of 255, standard deviation in flat regions
TEXTURE = 8.0  # standard deviation of a texture in which the pattern is twice as strong
STRONGEST = 2.0
DARK, LEAST = 96.0, 0.5  # in black it is half as strong; from DARK * (1 - LEAST) gray levels on as elsewhere
NEIGHBORHOOD = 15  # pixels


def watermarked(
    chunks: Iterable[NDArray[np.uint8]], number: int, strength: float = STRENGTH
) -> Iterator[NDArray[np.uint8]]:
    """The frames with a number in them.

    Args:
        chunks: uint8 RGB frames (n, height, width, 3), all of one size.
        number: 0 to 65535.
        strength: of the pattern, in gray levels of 255.
    """
    pattern, whole = strength * tile(number), np.zeros((0, 0), np.float32)
    for frames in chunks:
        size = frames.shape[1:3]
        if whole.shape != size:
            repeats = [-(-side // TILE) for side in size]
            whole = np.tile(pattern, repeats)[: size[0], : size[1]]
        yield np.stack([_marked(frame, whole) for frame in frames])


def _marked(frame: NDArray[np.uint8], pattern: NDArray[np.float32]) -> NDArray[np.uint8]:
    added = (pattern * _visibility(frame))[..., None]
    return np.clip(np.rint(frame + added), 0, 255).astype(np.uint8)


def _visibility(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How much of the pattern each place hides, 0.5 to 2, (height, width)."""
    gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    around = (NEIGHBORHOOD, NEIGHBORHOOD)
    mean = cv2.blur(gray, around)
    deviation = np.sqrt(np.maximum(cv2.blur(gray * gray, around) - mean * mean, 0))
    hidden = np.minimum(1 + deviation / TEXTURE, STRONGEST) * np.minimum(LEAST + mean / DARK, 1.0)
    return np.asarray(cv2.blur(hidden, around), np.float32)
