"""The videos of a row: rendered by a model from a motion and a sound, or images that need no model."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from ...media.video_writer import write_video
from ...pose.motion import Motion
from ..training.hiding import freeze_face, hide_mouth
from .models import Sources
from .scenes import Scene
from .specs import FILMED, REPEATED, RowSpec

Render = Callable[[Scene, Motion], Tensor]
"""Clip, the shown part (n, 134, 3) of its motion -> images (n, s, s, 3) in [0, 1]."""


def renderer(row: RowSpec, sources: Sources, seed: int) -> Render:
    """What makes a row's images; raises what `Sources.video` raises."""
    if row.video == REPEATED:
        return lambda scene, shown: scene.portrait(scene.size).expand(shown.frames, -1, -1, -1)
    if row.video == FILMED:
        return lambda scene, shown: scene.images(scene.size, shown.frames)
    source = sources.video(row.video, seed)

    def render(scene: Scene, shown: Motion) -> Tensor:
        if row.autoencoder:
            return source.through_autoencoder(scene.images(source.size, shown.frames)).cpu().float()
        # In step with a motion that the sound made; beside a given one, where the other speaks.
        begin = scene.other.begin if row.sound == "other" and row.motion not in sources else scene.begin
        hidden = row.lips == "hidden"
        frames = source.render(
            (scene.other if row.portrait == "other" else scene).portrait(source.size),
            hide_mouth(shown) if hidden else shown,
            scene.stage2(row.sound, begin, shown.frames, source.radius),
            seed=seed + scene.noise,
            masked=freeze_face(shown) if hidden else None,
            steps=row.steps or None,
            cfg=row.guidance or None,
        )
        return frames.cpu().float()

    return render


def through_mp4(frames: Tensor) -> Tensor:
    """The frames (F, H, W, 3) in [0, 1], written to an mp4 file and read again; on the CPU."""
    from ...media.video_reader import read_video

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_video(path, frames)
        return torch.from_numpy(read_video(path).frames).float() / 255
