"""Sample values of any type as floats of full scale -1..1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError

TYPES_FIX = "give floating-point numbers in -1..1, or 8-, 16- or 32-bit integers"


def as_float(values: NDArray[Any]) -> NDArray[np.float32]:
    """Samples as float32, the same shape: integers are divided by their full scale, uint8 counts from 128.

    Raises:
        InputError: neither floating-point numbers nor uint8, int8, int16 or int32.
    """
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind == "u" and size == 1:
        return np.asarray((values.astype(np.float32) - 128) / 128, dtype=np.float32)
    if kind == "i" and size <= 4:
        return (values / float(2 ** (8 * size - 1))).astype(np.float32)
    if kind != "f":
        raise InputError(f"samples of the type {values.dtype} cannot be used", fix=TYPES_FIX)
    return np.asarray(values, dtype=np.float32)
