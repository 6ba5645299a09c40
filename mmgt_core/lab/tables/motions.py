"""The motions of a row: from a model, a baseline, or none at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import torch

from ...pose.motion import Motion
from ..dataset.reader import PreparedData
from .baselines.mean_pose import MeanPose
from .baselines.nearest import NearestGestures
from .baselines.placed import held
from .clips import Scene, motion_of, stage1_features, training_clips

MotionMaker = Callable[[Scene, str, int], Motion]
"""Clip, choice of sound, seed -> motion of the clip's length."""
PROSODY_CHANNELS = 35


class Baselines:
    """Baselines of the training split, made when they are first needed."""

    def __init__(self, data: PreparedData):
        self.data = data

    @cached_property
    def mean_pose(self) -> MeanPose:
        return MeanPose(motion_of(clip).keypoints for clip in training_clips(self.data))

    @cached_property
    def nearest(self) -> NearestGestures:
        return NearestGestures(
            (torch.from_numpy(clip.prosody).float(), motion_of(clip).keypoints)
            for clip in training_clips(self.data)
            if clip.prosody is not None
        )


def motion_maker(name: str, model: Path | None, baselines: Baselines, device: str) -> MotionMaker:
    """The maker of a row's motions.

    Args:
        name: a choice of `RowSpec.motion`. model: the file, where the name is a model's.
        device: "auto", "cpu", "cuda", ...

    Raises CheckpointError where the model's file cannot be used.
    """
    if model is not None:
        return _of_model(model, device)
    return {
        "true": lambda scene, _sound, _seed: motion_of(scene.clip),
        "first pose": lambda scene, _sound, _seed: held(motion_of(scene.clip).window([0]), scene.clip.frames),
        "": lambda scene, _sound, _seed: held(motion_of(scene.clip).window([0]), scene.clip.frames),
        "mean pose": lambda scene, _sound, _seed: baselines.mean_pose(
            motion_of(scene.clip).window([0]), scene.clip.frames
        ),
        "nearest": lambda scene, sound, _seed: baselines.nearest(
            stage1_features(scene.sound(sound), "prosody", PROSODY_CHANNELS, scene.clip.frames),
            motion_of(scene.clip).window([0]),
        ),
    }[name]


def _of_model(path: Path, device: str) -> MotionMaker:
    from ...base.device import choose_device
    from ...checkpoints.smga import load_smga
    from ...smga.generate import generate_motion
    from ...smga.sampling import MotionSampling

    model = load_smga(path, choose_device(device))
    config = model.config

    def make(scene: Scene, sound: str, seed: int) -> Motion:
        heard = scene.sound(sound)
        features = stage1_features(heard, config.audio_features, config.audio_channels, scene.clip.frames)
        first = motion_of(scene.clip).window([0])
        return generate_motion(model, features, first, MotionSampling(seed=seed))

    return make
