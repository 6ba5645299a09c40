"""Safetensors files written tensor by tensor: writing needs the memory of one piece, not of the file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from .atomic_files import atomic_write, flush
from .errors import CheckpointError
from .progress import Progress, silent

PIECE = 2**18  # numbers converted at a time
BLOCK = 2**20  # bytes read at a time
ALIGNMENT = 8

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


class Written(NamedTuple):
    """A file that was written: its SHA-256, hexadecimal, and its size in bytes."""

    sha256: str
    size: int


def write_tensors(
    path: str | os.PathLike[str],
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str],
    dtype: torch.dtype | None = None,
    progress: Progress = silent,
    *,
    durable: bool = False,
) -> Written:
    """Write a safetensors file; it appears under its name only when it is complete.

    Args:
        tensors: name -> tensor, best views of a mapped file; read once, in pieces.
        metadata: text for the header.
        dtype: what floating-point tensors are cast to; None keeps each as it is. Others are never cast.
        progress: called after every tensor.
        durable: the file is on the disk, not only on its way there, when this returns.

    Raises CheckpointError where a number does not fit `dtype`, InputError where the place cannot be written,
    OSError when the disk is full.
    """
    path = Path(path)
    kinds = {
        name: dtype if dtype is not None and tensor.is_floating_point() else tensor.dtype
        for name, tensor in tensors.items()
    }
    # Wide numbers first, as the format's own writer does, so that every tensor lies at a multiple of its
    # width.
    order = sorted(tensors, key=lambda name: (-kinds[name].itemsize, name))
    digest = hashlib.sha256()
    with atomic_write(path, durable=durable) as temporary, open(temporary, "wb") as file:
        head = _header(order, tensors, kinds, metadata)
        file.write(head)
        digest.update(head)
        for done, name in enumerate(order, 1):
            for piece in tensors[name].detach().reshape(-1).split(PIECE):
                data = bytes_of(_cast(name, piece, kinds[name], path).cpu())
                file.write(data)
                digest.update(data)
            progress(done, len(order))
        size = file.tell()
        if durable:
            flush(file)
    return Written(digest.hexdigest(), size)


def bytes_of(tensor: Tensor) -> memoryview:
    """The bytes of a contiguous CPU tensor, not copied."""
    return tensor.detach().reshape(-1).view(torch.uint8).numpy().data


def file_sha256(path: str | os.PathLike[str], progress: Progress = silent) -> str:
    """SHA-256 of a file's content, hexadecimal, read block by block."""
    digest = hashlib.sha256()
    size, done = os.path.getsize(path), 0
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            done += len(block)
            progress(done, size)
    return digest.hexdigest()


def _header(
    order: list[str],
    tensors: Mapping[str, Tensor],
    kinds: Mapping[str, torch.dtype],
    metadata: Mapping[str, str],
) -> bytes:
    entries: dict[str, object] = {"__metadata__": {"format": "pt", **metadata}}
    start = 0
    for name in order:
        end = start + tensors[name].numel() * kinds[name].itemsize
        entries[name] = {
            "dtype": NAMES[kinds[name]],
            "shape": list(tensors[name].shape),
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def _cast(name: str, piece: Tensor, dtype: torch.dtype, where: object) -> Tensor:
    cast = piece.to(dtype).contiguous()
    if cast.dtype != piece.dtype and not torch.isfinite(cast).all() and torch.isfinite(piece).all():
        raise CheckpointError(
            f"{name} holds numbers too large for {str(dtype).removeprefix('torch.')}",
            where=where,
            fix="choose bf16, or keep the numbers as they are",
        )
    return cast
