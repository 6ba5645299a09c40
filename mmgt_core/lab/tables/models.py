"""The models of the rows, loaded when a row needs them; the last of each kind is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ...base.tensor_file import bytes_of
from ..sources.models import SMGASource, VideoModelSource
from ..sources.video_source import MotionSource, VideoSource
from .specs import TablesConfig
from .trained import Trained

if TYPE_CHECKING:
    from ...smga.network import SMGA


class Sources:
    """Models by name and seed."""

    def __init__(self, config: TablesConfig, trained: Trained):
        self.config, self.trained = config, trained
        self._loaded: dict[str, tuple[Path, Any]] = {}
        self._prints: dict[Path, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.config.models

    @property
    def device(self) -> torch.device:
        """Where the models run."""
        from ...base.device import choose_device

        return choose_device(self.config.device)

    def smga(self, name: str, seed: int) -> SMGA:
        """Stage I; raises CheckpointError where its file cannot be used."""
        from ...checkpoints.smga import load_smga

        return self._once("motion", name, seed, lambda path: load_smga(path, self.device))

    def window(self, name: str, seed: int) -> MotionSource:
        """Stage I without what the product does around it; also raises InputError for other features."""
        return SMGASource(self.smga(name, seed))

    def video(self, name: str, seed: int) -> VideoSource:
        """Stage II.

        Raises CheckpointError where its file cannot be used, InputError for a model whose sound features or
        autoencoder are in other files: render it with `mmgt generate` and give the folder.
        """
        from ...checkpoints.video import load_video_model

        def load(path: Path) -> VideoModelSource:
            return VideoModelSource(load_video_model(path, self.device, torch.float32))

        return self._once("video", name, seed, load)

    def fingerprint(self, name: str, seed: int) -> str:
        """SHA-256 of configuration and weights; a note in the header does not make it another model."""
        from ...checkpoints.io import read_model_file

        path = self.trained.file(name, seed)
        if path not in self._prints:
            file = read_model_file(path)
            digest = hashlib.sha256(json.dumps(file.config, sort_keys=True).encode())
            for key in sorted(file.tensors):
                tensor = file.tensors[key].contiguous()
                digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}".encode())
                digest.update(bytes_of(tensor))
            self._prints[path] = digest.hexdigest()
        return self._prints[path]

    def _once(self, kind: str, name: str, seed: int, load: Callable[[Path], Any]) -> Any:
        path = self.trained.file(name, seed)
        if self._loaded.get(kind, (None, None))[0] != path:
            self._loaded.pop(kind, None)
            self._loaded[kind] = (path, load(path))
        return self._loaded[kind][1]
