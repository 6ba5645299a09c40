"""Our socket types and the objects that they carry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from comfy_api.latest import io

from ...mmgt_core.audio.features import AudioFeatures
from ...mmgt_core.base.errors import InputError
from ...mmgt_core.pose.motion import Motion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...mmgt_core.pose.motion_masks import MotionMasks

CATEGORY = "MMGT"
FRAMING = "mmgt_framing"
"""Name of the `PortraitFraming` in a LATENT; the host's samplers pass it on."""

AudioFeaturesSocket = io.Custom("MMGT_AUDIO_FEATURES")
MotionSocket = io.Custom("MMGT_MOTION")
MasksSocket = io.Custom("MMGT_MASKS")
MotionModelSocket = io.Custom("MMGT_MOTION_MODEL")
VideoModelSocket = io.Custom("MMGT_VIDEO_MODEL")
PoseKeypointSocket = io.Custom("POSE_KEYPOINT")
"""The type that ComfyUI's SDPose nodes and the ControlNet preprocessors exchange poses in."""


@dataclass(frozen=True, eq=False)
class Speech:
    """What MMGT_AUDIO_FEATURES carries: the features of a recording, and where somebody speaks in it.

    Attributes:
        gate: (frames,) 1 where somebody speaks, 0 in silence; None leaves the mouth to the model.
    """

    features: AudioFeatures
    gate: NDArray[Any] | None = None

    @property
    def frames(self) -> int:
        return self.features.frames

    def window(self, indices: slice | list[int]) -> Speech:
        """The chosen frames, in their order."""
        return Speech(self.features.window(indices), None if self.gate is None else self.gate[indices])

    def to(self, *args: Any, **kwargs: Any) -> Speech:
        return replace(self, features=self.features.to(*args, **kwargs))


@dataclass(frozen=True, eq=False)
class Masks:
    """What MMGT_MASKS carries: which regions of a motion count, to be drawn at whatever size is wanted.

    Attributes:
        motion: whose face, lips and hands they are.
        margin: pixels of the 512 canvas to add around every box.
        union: frames before and after whose boxes join each box.
    """

    motion: Motion
    margin: int = 0
    union: int = 0

    @property
    def frames(self) -> int:
        return self.motion.frames

    def window(self, indices: slice | list[int]) -> Masks:
        """The chosen frames, in their order."""
        return replace(self, motion=self.motion.window(indices))

    def to(self, device: torch.device | str) -> Masks:
        return replace(self, motion=self.motion.to(device))

    def boxes(self, motion: Motion | None = None) -> MotionMasks:
        """The boxes on the 512 canvas, of the own motion or of the same in another framing."""
        from ...mmgt_core.pose.motion_masks import motion_masks

        return motion_masks(motion or self.motion, margin=self.margin, union=self.union)


def as_motion(pose: Any, size: tuple[int, int] | None = None) -> Motion:
    """What a socket for MMGT_MOTION or POSE_KEYPOINT received, as a Motion.

    Args:
        size: (width, height) of the picture, for poses that do not tell it.

    Raises InputError for a pose that shows nobody.
    """
    if isinstance(pose, Motion):
        return pose
    from ...mmgt_core.pose.openpose import parse_poses

    try:
        return parse_poses(list(pose) if isinstance(pose, (list, tuple)) else pose, size=size)
    except InputError as error:
        raise InputError(error.what, where="pose", fix=error.fix) from error
