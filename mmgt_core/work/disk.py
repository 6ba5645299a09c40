"""Writing that survives: whole files or none, on the disk before they count, with room for them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..base.errors import InputError

BLOCK = 2**22  # bytes at once
DTYPES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.uint8: "U8", torch.bool: "BOOL",
}  # fmt: skip


def require_space(needs: Mapping[Path, int]) -> None:
    """Refuse a run whose files will not fit: bytes needed by folder, folders of one disk taken together.

    Raises InputError before anything was computed.
    """
    disks: dict[int, tuple[Path, int]] = {}
    for folder, size in needs.items():
        there = _existing(folder)
        disk = os.stat(there).st_dev
        disks[disk] = (disks[disk][0] if disk in disks else there, size + disks.get(disk, (there, 0))[1])
    for folder, size in disks.values():
        free = shutil.disk_usage(folder).free
        if size > free:
            raise InputError(
                f"the disk has {_gigabytes(free)} free, and this run needs about {_gigabytes(size)}",
                where=folder,
                fix="free some space, choose another disk with --work-dir and --out, or use --no-work",
            )


def write_tensors(path: Path, tensors: Mapping[str, Tensor], values: Mapping[str, str]) -> tuple[str, int]:
    """Write a safetensors file whole or not at all, without a copy of the tensors in memory.

    Returns its SHA-256 and its size; both are on the disk when this returns.
    """
    header, data = _header(tensors, values)
    digest, size = hashlib.sha256(header), len(header)
    partial = path.with_name(f".{path.name}.part")
    try:
        with open(partial, "wb") as file:
            file.write(header)
            for block in _blocks(data):
                digest.update(block)
                file.write(block)
                size += len(block)
            flush(file)
        os.replace(partial, path)
        flush_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)
    return digest.hexdigest(), size


class AppendFile:
    """A file that only grows, by whole records: one that does not fit leaves it as it was."""

    def __init__(self, path: Path):
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - open as long as this object is used

    def append(self, *parts: Any, sync: bool = True) -> None:
        """Add one record of bytes-like parts, with `sync` on the disk when this returns; or raise OSError."""
        start = self._file.seek(0, os.SEEK_END)
        try:
            for part in parts:
                view = memoryview(part).cast("B")
                while len(view):
                    view = view[self._file.write(view) :]
            if sync:
                flush(self._file)
        except OSError:
            self._file.truncate(start)
            raise

    def close(self) -> None:
        self._file.close()


def flush(file: Any) -> None:
    """Everything written to this open file is on the disk, not only on its way."""
    file.flush()
    os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """New and renamed names in this folder are on the disk; Windows does so by itself."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _header(tensors: Mapping[str, Tensor], values: Mapping[str, str]) -> tuple[bytes, list[Tensor]]:
    entries: dict[str, Any] = {"__metadata__": {**values, "format": "pt"}}
    data, offset = [], 0
    for name, tensor in tensors.items():
        flat = tensor.detach().cpu().contiguous()
        size = flat.numel() * flat.element_size()
        entries[name] = {
            "dtype": DTYPES[flat.dtype],
            "shape": list(flat.shape),
            "data_offsets": [offset, offset + size],
        }
        data.append(flat)
        offset += size
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, data


def _blocks(data: list[Tensor]) -> Iterator[memoryview]:
    for tensor in data:
        if tensor.numel():
            view = bytes_of(tensor)
            for start in range(0, len(view), BLOCK):
                yield view[start : start + BLOCK]


def bytes_of(tensor: Tensor) -> memoryview:
    """The bytes of a contiguous CPU tensor, not copied."""
    return tensor.detach().reshape(-1).view(torch.uint8).numpy().data


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder


def _gigabytes(size: int) -> str:
    return f"{size / 2**30:.1f} GB" if size >= 2**27 else f"{size / 2**20:.1f} MB"
