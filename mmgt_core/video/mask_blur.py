"""Softening a motion mask as published: 64x64, Gaussian blur, min-max stretch, uint8 (docs/method.md 2.9).

OpenCV's uint8 blur is a fixed-point filter; a floating-point blur is off by up to three gray levels.
"""

from __future__ import annotations

import numpy as np

MASK_SIZE = 64
FACE_KERNEL, LIPS_KERNEL, HANDS_KERNEL = 31, 21, 21


def soft_masks(frames: np.ndarray, kernel: int) -> np.ndarray:
    """uint8 (frames, H, W) or RGB (frames, H, W, 3) of any size -> uint8 (frames, 64, 64), each
    stretched to 0..255.

    A frame of one value, black or white, becomes 0 everywhere, as published.
    """
    out = [stretch_to_grey(blur(shrink(frame), kernel)) for frame in frames]
    return np.stack(out) if out else np.zeros((0, MASK_SIZE, MASK_SIZE), np.uint8)


def shrink(frame: np.ndarray) -> np.ndarray:
    """uint8 (H, W[, 3]) -> 64x64, bilinear without antialiasing."""
    import cv2

    return cv2.resize(frame, (MASK_SIZE, MASK_SIZE), interpolation=cv2.INTER_LINEAR)


def blur(frame: np.ndarray, kernel: int) -> np.ndarray:
    """Gaussian blur of a uint8 image with sigma = 0.3 ((k - 1) / 2 - 1) + 0.8, borders reflected."""
    import cv2

    return cv2.GaussianBlur(frame, (kernel, kernel), 0)


def stretch_to_grey(frame: np.ndarray) -> np.ndarray:
    """Min-max stretch over all channels to 0..255, then RGB to gray by Pillow's integer weights."""
    import cv2
    from PIL import Image

    stretched = cv2.normalize(frame, np.empty_like(frame), 0, 255, cv2.NORM_MINMAX)
    return stretched if stretched.ndim == 2 else np.array(Image.fromarray(stretched).convert("L"))
