"""How Stage II runs while it is examined: with diffusers, or inside another program, which brings its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..pipeline.stages import Stages

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ..media.waveform import Waveform
    from ..pipeline.render import Output
    from ..pose.motion import Motion
    from ..video.config import VideoConfig
    from ..video.sampling import Sampling


class VideoRenderer(Protocol):
    """A loaded Stage II model with all that it needs, and the portrait that it animates."""

    config: VideoConfig

    def few(self, motion: Motion, sampling: Sampling) -> Tensor:
        """Frames (n, height, width, 3) in [0, 1] of a few poses of the portrait, without sound."""
        ...

    def video(self, motion: Motion, voice: Waveform, sampling: Sampling, output: Output) -> tuple[Path, ...]:
        """Write the video and its contact sheet; returns the files."""
        ...


OpenVideo = Callable[["Mapping[str, Path]", Path, "torch.device", Stages], VideoRenderer]
"""Usable files by name, the portrait, the device, the stages of the work -> the renderer.

It takes the published model where all that it needs is there, else the demo model.
"""


def published_video(usable: Mapping[str, Path]) -> bool:
    """Whether the published video model and all that it needs can be used."""
    return all(name in usable for name in ("video", "vae", "clip-vision", "wav2vec2"))


def _diffusers(
    usable: Mapping[str, Path], portrait: Path, device: torch.device, stages: Stages
) -> VideoRenderer:
    from .diffusers_renderer import DiffusersRenderer

    return DiffusersRenderer(usable, portrait, device, stages)


def _strict(path: Path) -> VideoConfig:
    from ..checkpoints.video import load_video_model

    return load_video_model(path).config


@dataclass(frozen=True)
class Host:
    """What runs the doctor.

    Attributes:
        name: name and version of the program; empty on the command line.
        open_video: how it runs Stage II.
        check_video: loads a video model file strictly, or raises MMGTError, and gives its configuration.
    """

    name: str = ""
    open_video: OpenVideo = field(default=_diffusers)
    check_video: Callable[[Path], VideoConfig] = field(default=_strict)
