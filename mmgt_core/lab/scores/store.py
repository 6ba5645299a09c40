"""Features and heat map of each finished clip, one file a clip, so that memory stays free."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ...base.atomic_files import atomic_write


class TensorStore:
    """Tensors of finished clips in a folder."""

    def __init__(self, folder: Path):
        """A store; its folder is made when something is kept."""
        self.folder = folder

    def has(self, key: str) -> bool:
        """Whether this clip was kept."""
        return self._path(key).is_file()

    def keep(self, key: str, tensors: Mapping[str, Tensor]) -> None:
        """Keep the tensors of a clip, whole or not at all."""
        from safetensors.torch import save_file

        with atomic_write(self._path(key)) as temporary:
            save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary)

    def load(self, key: str) -> dict[str, Tensor]:
        """The tensors of a clip; nothing where it was not kept."""
        from safetensors.torch import load_file

        return load_file(self._path(key)) if self.has(key) else {}

    def _path(self, key: str) -> Path:
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.safetensors"
