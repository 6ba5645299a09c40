"""Arrays as .npy data: NumPy's own plain format, written alike everywhere, and checked before it is used."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .layout import LONGEST, ArrayLayout


def to_npy(array: NDArray[Any], layout: ArrayLayout) -> bytes:
    """The array, cast to the layout's type, as a .npy file.

    Raises ValueError for another shape, and for values that are not finite in that type.
    """
    values = np.ascontiguousarray(array, dtype=layout.dtype)
    if values.shape[1:] != layout.row:
        raise ValueError(f"rows of the shape {values.shape[1:]} instead of {layout.row}")
    if not np.isfinite(values).all():
        raise ValueError(f"values that are not finite as {layout.dtype}")
    stream = io.BytesIO()
    np.lib.format.write_array(stream, values, version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def from_npy(data: bytes, layout: ArrayLayout, frames: int) -> NDArray[Any]:
    """Inverse of `to_npy` for `frames` rows; no memory is taken before type and shape are known to be right.

    Raises ValueError, with a short reason, for anything else.
    """
    stream = io.BytesIO(data)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("it is an array file of another version")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype != np.dtype(layout.dtype) or fortran:
        raise ValueError(f"its type is {dtype}")
    if shape != (frames, *layout.row) or frames > LONGEST:
        raise ValueError(f"its shape is {shape} instead of {(frames, *layout.row)}")
    size, offset = int(np.prod(shape)) * dtype.itemsize, stream.tell()
    if len(data) - offset != size:
        raise ValueError(f"it has {len(data) - offset} bytes of data instead of {size}")
    values = np.frombuffer(data, dtype, offset=offset).reshape(shape)
    if not np.isfinite(values).all():
        raise ValueError("some of its values are not finite")
    return values.astype(dtype.newbyteorder("="), copy=True)
