"""A curve of key frames over time, written as text: "0:0, 1.5:1, 3:0.2"."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from ...base.errors import InputError
from ...base.timebase import FPS

CURVE_FIX = 'write seconds:value pairs, such as "0:0, 1.5:1, 3:0.2"'
KEYS = 10_000


def key_curve(text: str, frames: int) -> Tensor:
    """float32 (frames,) of a curve: straight between its keys, constant before the first and after the last.

    Args:
        text: "seconds:value" pairs with commas between them, in any order.

    Raises InputError for anything else, and for two keys at one time.
    """
    keys: dict[float, float] = {}
    for pair in text.split(","):
        time, colon, value = pair.partition(":")
        try:
            at, to = float(time), float(value)
        except ValueError:
            at = to = math.nan
        if not colon or not math.isfinite(at) or not math.isfinite(to) or at in keys or len(keys) >= KEYS:
            raise InputError(f"{pair.strip()!r} is no key of a curve", where="curve", fix=CURVE_FIX)
        keys[at] = to
    times = sorted(keys)
    values = np.interp(np.arange(frames) / FPS, times, [keys[time] for time in times])
    return torch.from_numpy(values.astype(np.float32))
