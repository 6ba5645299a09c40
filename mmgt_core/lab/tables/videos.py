"""The videos of a row: rendered by a model from a motion and a sound, or the portrait repeated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ...audio.windows import frame_windows
from ...media.video_writer import VideoWriter
from ...pose.motion import Motion
from .clips import Scene, stage2_features
from .config import REPEATED

Render = Callable[[Scene, Motion, str, int, bool], NDArray[np.uint8]]
"""Clip, motion (n, 134, 3), choice of sound, seed, whether lips are hidden -> uint8 images (n, s, s, 3)."""


def renderer(name: str, model: Path | None, device: str) -> Render:
    """What makes a row's images.

    Raises CheckpointError where the model's file cannot be used, InputError for a model whose sound features
    or autoencoder are in other files: render it with `mmgt generate` and give the folder.
    """
    if model is None:
        assert name == REPEATED, "checked with the configuration"
        return _repeated
    from ...base.device import choose_device
    from ...checkpoints.video import load_video_model
    from ...media.images import to_uint8
    from ..sources.models import VideoModelSource
    from ..training.hiding import freeze_face, hide_mouth

    source = VideoModelSource(load_video_model(model, choose_device(device), torch.float32))
    radius = source.model.config.audio_window // 2

    def render(scene: Scene, motion: Motion, sound: str, seed: int, hidden: bool) -> NDArray[np.uint8]:
        rows = stage2_features(scene.sound(sound), scene.clip, motion.frames)
        portrait = torch.from_numpy(_square(scene, source.size)).float() / 255
        shown, masked = (hide_mouth(motion), freeze_face(motion)) if hidden else (motion, None)
        frames = source.render(portrait, shown, frame_windows(rows, radius), seed=seed, masked=masked)
        return to_uint8(frames.cpu())

    return render


def write_video(path: Path, images: NDArray[np.uint8]) -> None:
    """Write (n, s, s, 3) images as H.264, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, images.shape[2], images.shape[1]) as video:
        video.write(images)


def _repeated(scene: Scene, motion: Motion, _sound: str, _seed: int, _hidden: bool) -> NDArray[np.uint8]:
    return np.repeat(scene.clip.images([0]), motion.frames, axis=0)


def _square(scene: Scene, size: int) -> NDArray[np.uint8]:
    """(size, size, 3): the clip's first image."""
    import cv2

    image = scene.clip.images([0])[0]
    if image.shape[:2] == (size, size):
        return image
    kind = cv2.INTER_AREA if image.shape[0] > size else cv2.INTER_LINEAR
    return cv2.resize(image, (size, size), interpolation=kind)
