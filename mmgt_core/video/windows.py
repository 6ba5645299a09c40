"""Context windows: a clip longer than the model's window is denoised in overlapping pieces (stage2.md section
5).
"""

from __future__ import annotations

from ..errors import InputError


def context_windows(
    frames: int, window: int = 12, overlap: int = 4, closed_loop: bool = True
) -> list[list[int]]:
    """Frame indices of each window; every frame of the clip is in at least one.

    Args:
        frames: length of the clip, at least 1. Up to `window` frames there is one window.
        closed_loop: as published, the last window wraps around to the first frames; otherwise it ends with
            the clip.

    Raises InputError when the sizes do not fit together.
    """
    if frames < 1:
        raise InputError(f"a clip of {frames} frames cannot be denoised", fix="give at least one frame")
    if not 0 <= overlap < window:
        raise InputError(
            f"windows of {window} frames cannot overlap by {overlap}", fix="choose 0 <= overlap < window"
        )
    if frames <= window:
        return [list(range(frames))]
    hop = window - overlap
    if closed_loop:
        return [[(start + k) % frames for k in range(window)] for start in range(0, frames, hop)]
    starts = [*range(0, frames - window, hop), frames - window]
    return [list(range(start, start + window)) for start in starts]
