"""MMGT's socket types and their values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from comfy_api.latest import io

from ...mmgt_core.audio.features import AudioFeatures
from ...mmgt_core.base.errors import InputError
from ...mmgt_core.pose.motion import Motion
from .node_text import show_note

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...mmgt_core.pose.given_masks import GivenMasks
    from ...mmgt_core.pose.motion_masks import MaskRasters, MotionMasks

CATEGORY = "MMGT"
FRAMING = "mmgt_framing"
"""Key of the `PortraitFraming` in a LATENT; the host's samplers preserve it."""

AudioFeaturesSocket = io.Custom("MMGT_AUDIO_FEATURES")
MotionSocket = io.Custom("MMGT_MOTION")
MasksSocket = io.Custom("MMGT_MASKS")
MotionModelSocket = io.Custom("MMGT_MOTION_MODEL")
VideoModelSocket = io.Custom("MMGT_VIDEO_MODEL")
PoseKeypointSocket = io.Custom("POSE_KEYPOINT")
"""The pose type of ComfyUI's SDPose nodes and of the ControlNet preprocessors."""

PoseKeypoint = list[dict[str, Any]]
"""The value of POSE_KEYPOINT: one OpenPose document per frame."""
Pose = Motion | PoseKeypoint
"""The value of an input for MMGT_MOTION or POSE_KEYPOINT."""


@dataclass(frozen=True, eq=False)
class Speech:
    """The value of MMGT_AUDIO_FEATURES: the features of a recording and its silence gate.

    Attributes:
        gate: (frames,) 1 for speech, 0 for silence; None for no gate.
    """

    features: AudioFeatures
    gate: NDArray[np.floating] | None = None

    @property
    def frames(self) -> int:
        return self.features.frames

    def window(self, indices: slice | list[int]) -> Speech:
        """The chosen frames, in their order."""
        return Speech(self.features.window(indices), None if self.gate is None else self.gate[indices])

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Speech:
        return replace(self, features=self.features.to(device, dtype))


@dataclass(frozen=True, eq=False)
class Masks:
    """The value of MMGT_MASKS: masks of a motion's regions, drawn later at any size.

    Attributes:
        motion: the motion of face, lips and hands.
        margin: pixels of the 512 canvas to add around every box.
        union: number of frames before and after whose boxes are joined to each box.
        given: masks in place of the boxes of some regions.
    """

    motion: Motion
    margin: int = 0
    union: int = 0
    given: GivenMasks | None = None

    @property
    def frames(self) -> int:
        return self.motion.frames

    def window(self, indices: slice | list[int]) -> Masks:
        """The chosen frames, in their order."""
        given = None if self.given is None else self.given.window(indices)
        return replace(self, motion=self.motion.window(indices), given=given)

    def to(self, device: torch.device | str) -> Masks:
        return replace(self, motion=self.motion.to(device))

    def boxes(self, motion: Motion | None = None) -> MotionMasks:
        """The boxes on the 512 canvas; `motion` is the same motion in another framing."""
        from ...mmgt_core.pose.motion_masks import motion_masks

        return motion_masks(motion or self.motion, margin=self.margin, union=self.union)

    def rasters(self, size: tuple[int, int]) -> MaskRasters:
        """The masks drawn at `size` (width, height), in the framing of their motion."""
        from ...mmgt_core.pose.given_masks import GivenMasks, RegionMasks

        return RegionMasks(self.boxes(), self.given or GivenMasks()).rasters(size)


def as_motion(pose: Pose, size: tuple[int, int] | None = None) -> Motion:
    """The value of an input for MMGT_MOTION or POSE_KEYPOINT, as a Motion.

    Args:
        size: (width, height) of the image, for poses that do not include it.

    Raises InputError for a pose without a person.
    """
    if isinstance(pose, Motion):
        return pose
    from ...mmgt_core.pose.openpose import parse_poses

    try:
        document = list(pose) if isinstance(pose, (list, tuple)) else pose
        return parse_poses(document, size=size, note=show_note)
    except InputError as error:
        raise InputError(error.what, where="pose", fix=error.fix) from error
