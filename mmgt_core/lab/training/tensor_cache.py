"""Tensors that are made once and kept in a file for one purpose."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ...base.atomic_files import atomic_write

PURPOSE = "purpose"


def load_tensors(path: Path, purpose: str) -> dict[str, Tensor] | None:
    """The tensors of the file if it was made for the same purpose, else None."""
    from safetensors import safe_open

    if not path.exists():
        return None
    with safe_open(path, framework="pt") as file:
        if (file.metadata() or {}).get(PURPOSE) != purpose:
            return None
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping


def save_tensors(path: Path, tensors: Mapping[str, Tensor], purpose: str) -> None:
    """Write the tensors; the file appears under its name when it is complete."""
    from safetensors.torch import save_file

    with atomic_write(path) as temporary:
        save_file(dict(tensors), temporary, {PURPOSE: purpose})
