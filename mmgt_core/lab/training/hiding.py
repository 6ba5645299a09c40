"""Hiding the mouth from the pose image and from the motion masks, so that sound alone can move it."""

from __future__ import annotations

from dataclasses import replace

from ...pose import skeleton
from ...pose.motion import Motion


def hide_mouth(motion: Motion) -> Motion:
    """The motion with lips and jaw line invisible; a dropping jaw tells how far the mouth is open, too."""
    keypoints = motion.keypoints.clone()
    keypoints[..., skeleton.LIPS, 2] = 0
    keypoints[..., skeleton.JAW, 2] = 0
    return replace(motion, keypoints=keypoints)


def freeze_face(motion: Motion) -> Motion:
    """The motion with all face points as in frame 0, so that the boxes of lips and face stand still."""
    keypoints = motion.keypoints.clone()
    keypoints[:, skeleton.FACE] = keypoints[:1, skeleton.FACE]
    return replace(motion, keypoints=keypoints)
