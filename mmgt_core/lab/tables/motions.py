"""The motions of a row: from a model, a baseline, or none at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import torch

from ...base.feature_kinds import PROSODY
from ...pose.motion import Motion
from ..dataset.reader import PreparedData
from .baselines.mean_pose import MeanPose
from .baselines.nearest import NearestGestures
from .baselines.placed import held
from .clips import training_clips
from .models import Sources
from .scenes import Scene
from .specs import RowSpec

MotionMaker = Callable[[Sequence[Scene]], list[Motion]]
"""Clips -> a motion of each one's length."""
PROSODY_CHANNELS = 35


class Baselines:
    """Baselines of the training split, made when they are first needed."""

    def __init__(self, data: PreparedData):
        self.data = data

    @cached_property
    def mean_pose(self) -> MeanPose:
        return MeanPose(clip.poses().keypoints for clip in training_clips(self.data))

    @cached_property
    def nearest(self) -> NearestGestures:
        return NearestGestures(
            (torch.from_numpy(clip.prosody).float(), clip.poses().keypoints)
            for clip in training_clips(self.data)
            if clip.prosody is not None
        )


def motion_maker(row: RowSpec, sources: Sources, baselines: Baselines | None, seed: int) -> MotionMaker:
    """The maker of a row's motions; `baselines`: None for drawn speakers, whose rows have none.

    Raises CheckpointError where a model's file cannot be used, InputError where it needs other features.
    """
    if row.motion in sources:
        return _of_network(row, sources, seed) if row.sampler == "window" else _of_model(row, sources, seed)

    def person(scene: Scene) -> Scene:
        return scene.other if row.pose == "other" else scene

    known: Any = baselines
    one: Callable[[Scene], Motion] = {
        "true": lambda scene: person(scene).truth,
        "first pose": lambda scene: held(person(scene).first, scene.frames),
        "": lambda scene: held(person(scene).first, scene.frames),
        "mean pose": lambda scene: known.mean_pose(scene.first, scene.frames),
        "nearest": lambda scene: known.nearest(
            scene.stage1(row.sound, PROSODY, PROSODY_CHANNELS), scene.first
        ),
    }[row.motion]
    return lambda scenes: [one(scene) for scene in scenes]


def _of_model(row: RowSpec, sources: Sources, seed: int) -> MotionMaker:
    """As `mmgt motion` makes them."""
    from ...smga.generate import generate_motion
    from ...smga.sampling import MotionSampling

    model = sources.smga(row.motion, seed)
    kind, channels = model.config.audio_features, model.config.audio_channels
    ramp = None if row.ramp else False

    def one(scene: Scene) -> Motion:
        sampling = MotionSampling(seed=seed + scene.noise, first_pose_ramp=ramp)
        return generate_motion(model, scene.stage1(row.sound, kind, channels), scene.first, sampling)

    return lambda scenes: [one(scene) for scene in scenes]


def _of_network(row: RowSpec, sources: Sources, seed: int) -> MotionMaker:
    """The network alone, a batch of windows at once, whose first clip decides the noise."""
    source = sources.window(row.motion, seed)

    def batch(scenes: Sequence[Scene]) -> list[Motion]:
        features = torch.stack([scene.stage1(row.sound, PROSODY, PROSODY_CHANNELS) for scene in scenes])
        first = torch.cat([scene.first.keypoints for scene in scenes])
        made = source(features, first, seed=seed + scenes[0].noise, first_pose_ramp=row.ramp)
        return [Motion(keypoints) for keypoints in made.cpu()]

    return batch
