"""The key of a run: one hash over everything that its result depends on."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import struct
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .. import __version__

FORMAT = 1  # of the work folders; a new number leaves older folders alone
LIBRARIES = ("torch", "diffusers", "numpy")  # whose versions may change numbers
BLOCK = 2**22  # bytes of a file at once


class _Hash(Protocol):
    def update(self, data: Any, /) -> None: ...


def work_key(inputs: Mapping[str, Any]) -> str:
    """SHA-256, 64 hexadecimal digits, over named inputs and the versions that may change numbers.

    Args:
        inputs: None, bool, int, float, str, bytes, sequences and mappings of them, dataclasses, numpy arrays,
            torch tensors; a Path stands for the content of that file, or of all files of that folder.

    Raises TypeError for a value of another kind, and OSError for a file that cannot be read.
    """
    digest = hashlib.sha256()
    _feed(digest, {"format": FORMAT, "mmgt": __version__, **_versions()})
    _feed(digest, inputs)
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    return found


def _feed(digest: _Hash, value: Any) -> None:
    """Every value begins with its kind and its length, so that no two different inputs read alike."""
    if value is None or isinstance(value, (bool, int, float, str, np.generic)):
        _text(digest, type(value).__name__, repr(value))
    elif isinstance(value, bytes):
        _text(digest, "bytes", str(len(value)))
        digest.update(value)
    elif isinstance(value, Path):
        _feed_files(digest, value)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        _text(digest, "dataclass", type(value).__name__)
        _feed(digest, fields)
    elif isinstance(value, Mapping):
        _text(digest, "mapping", str(len(value)))
        for name in sorted(value, key=str):
            _text(digest, "name", str(name))
            _feed(digest, value[name])
    elif isinstance(value, (list, tuple)):
        _text(digest, "sequence", str(len(value)))
        for item in value:
            _feed(digest, item)
    elif hasattr(value, "detach") or isinstance(value, np.ndarray):
        _feed_array(digest, value)
    else:
        raise TypeError(f"a {type(value).__name__} cannot be part of a work key")


def _text(digest: _Hash, kind: str, text: str) -> None:
    data = f"{kind}:{text}".encode()
    digest.update(struct.pack(">Q", len(data)))
    digest.update(data)


def _feed_array(digest: _Hash, value: Any) -> None:
    if hasattr(value, "detach"):
        from ..base.tensor_file import bytes_of

        _text(digest, "tensor", f"{value.dtype} {tuple(value.shape)}")
        digest.update(bytes_of(value.cpu().contiguous()) if value.numel() else b"")
        return
    _text(digest, "array", f"{value.dtype.str} {value.shape}")
    digest.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data if value.size else b"")


def _feed_files(digest: _Hash, path: Path) -> None:
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    _text(digest, "files", str(len(files)))
    for file in files:
        name = "" if file == path else file.relative_to(path).as_posix()
        _text(digest, name, str(os.path.getsize(file)))
        with open(file, "rb") as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
