"""Safetensors headers, read and checked before any library maps the file."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

from .errors import CheckpointError
from .files import existing_file, parse_json
from .limits import DIMENSIONS, HEADER_BYTES, TENSORS

DAMAGED = "this is not a readable safetensors file"
FIX = "download or convert it again"
BITS = {
    "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "F8_E4M3": 8, "F8_E5M2": 8,
    "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64, "U32": 32, "U16": 16, "U8": 8, "BOOL": 8,
}  # fmt: skip
ENTRY = {"dtype", "shape", "data_offsets"}


@dataclass(frozen=True)
class Header:
    """What the header of a safetensors file says: the shapes of its tensors, and its texts."""

    shapes: dict[str, tuple[int, ...]]
    metadata: dict[str, str]


def read_header(path: str | os.PathLike[str], *, damaged: str = DAMAGED, fix: str = FIX) -> Header:
    """Read and check the header of a safetensors file.

    Refused are headers that are larger than `HEADER_BYTES`, nested, no JSON or with the same name twice;
    more than `TENSORS` tensors; unknown number types; shapes that do not fit their place in the file; and
    places that overlap, leave a gap or lie outside.

    Args:
        damaged, fix: how the error says it.

    Raises:
        CheckpointError: any of that.
        InputError: there is no such file.
    """
    path = existing_file(path, "the model file")
    try:
        return _parsed(os.fspath(path))
    except (ValueError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CheckpointError(f"{damaged} ({reason})", where=path, fix=fix) from error


def _parsed(path: str) -> Header:
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 10 or not 2 <= length <= min(HEADER_BYTES, size - 8):
            raise ValueError(f"its header would have {length} bytes")
        text = file.read(length)
    if not text.startswith(b"{"):
        raise ValueError("it does not begin with a header")
    table = parse_json(text, depth=3, unique=True)
    if len(table) > TENSORS:
        raise ValueError(f"its header names more than {TENSORS} tensors")
    metadata = table.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("its metadata are no texts")
    places = [_place(name, entry) for name, entry in table.items()]
    end = 0
    for start, stop in sorted(places):
        if start != end:
            raise ValueError("its tensors overlap or leave a gap")
        end = stop
    if end != size - 8 - length:
        raise ValueError(f"its tensors take {end} bytes, and it has {size - 8 - length}")
    return Header({name: tuple(entry["shape"]) for name, entry in table.items()}, metadata)


def _place(name: str, entry: Any) -> tuple[int, int]:
    """Where a tensor lies; raises ValueError unless it fits its shape and type."""
    short = name[:80]
    if not isinstance(entry, dict) or set(entry) != ENTRY:
        raise ValueError(f"the entry of {short!r} is not one of a tensor")
    dtype, shape, place = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise ValueError(f"{short!r} is of the unknown type {str(dtype)[:20]!r}")
    if not _counts(shape) or len(shape) > DIMENSIONS:
        raise ValueError(f"{short!r} has no shape")
    if not _counts(place) or len(place) != 2 or place[0] > place[1]:
        raise ValueError(f"{short!r} has no place")
    if math.prod(shape) * BITS[dtype] != (place[1] - place[0]) * 8:
        raise ValueError(f"{short!r} does not fit its place")
    return place[0], place[1]


def _counts(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 2**63 for value in values)
