"""Where the pose of a request comes from: keypoints, the detector, or an own motion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import assets
from ..base.errors import InputError
from ..base.timebase import sample_count
from ..media.images import load_image
from ..media.waveform import Waveform
from ..pose.motion import Motion
from ..pose.motion_file import load_motion
from ..pose.openpose import read_pose_file
from .pose_finder import DRIVING_VIDEOS, PoseFinder
from .request import MotionRequest, VideoRequest
from .settings import StrPath


def first_pose(request: MotionRequest, finder: PoseFinder) -> Motion:
    """The pose that a motion begins with."""
    if request.demo_portrait:
        return read_pose_file(assets.asset(assets.POSE))
    if request.image is None and request.keypoints is None:
        raise InputError(
            "nothing tells the pose to begin with", fix="give --keypoints pose.json or --demo-portrait"
        )
    image = None if request.image is None else load_image(request.image)
    if request.keypoints is not None:
        size = None if image is None else image.shape[1::-1]
        return read_pose_file(request.keypoints, size=size).window([0])
    assert image is not None, "checked above"
    return finder.on_portrait(image, request.image).motion


def pose_of_video(request: VideoRequest, image: NDArray[np.uint8], finder: PoseFinder) -> Motion:
    """An own motion as it is, else one frame: the pose on the portrait; both refer to that picture."""
    size = image.shape[1::-1]
    if request.motion is not None:
        return _own_motion(request, size, finder)
    if request.keypoints is None:
        return finder.on_portrait(image, request.image).motion
    return _on_picture(read_pose_file(request.keypoints, size=size).window([0]), size, request.keypoints)


def same_length(motion: Motion, waveform: Waveform | None) -> tuple[Motion, Waveform | None, tuple[str, ...]]:
    """An own motion and its sound, both cut to the shorter of the two, and what to say about it."""
    if waveform is None or waveform.frames == motion.frames:
        return motion, waveform, ()
    frames = min(motion.frames, waveform.frames)
    longer = "motion" if motion.frames > frames else "recording"
    lengths = f"the motion has {motion.frames} frames, the recording {waveform.frames}"
    note = f"{lengths}; the end of the {longer} is left out"
    return motion.window(slice(0, frames)), waveform.padded(sample_count(frames, waveform.rate)), (note,)


def _own_motion(request: VideoRequest, size: tuple[int, int], finder: PoseFinder) -> Motion:
    path = Path(str(request.motion))
    if path.suffix.lower() in DRIVING_VIDEOS:
        motion = finder.in_video(path, request.start, request.duration).motion
    elif path.suffix.lower() == ".json":
        motion = read_pose_file(path, size=size)
    else:
        motion = load_motion(path)
    return _on_picture(motion, size, path)


def _on_picture(motion: Motion, size: tuple[int, int], where: StrPath) -> Motion:
    """The motion as one of the picture of `size`; raises InputError where its picture had another shape."""
    width, height = size
    if abs(motion.width * height - motion.height * width) > 0.02 * motion.height * width:
        raise InputError(
            f"the pose belongs to a picture of {motion.width} x {motion.height} pixels, "
            f"the portrait has {width} x {height}",
            where=where,
            fix="use the pose of this portrait, or crop the portrait as it was for the pose",
        )
    return Motion(motion.keypoints, width, height)
