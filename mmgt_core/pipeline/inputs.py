"""The pose and the motion of a request: from keypoints, from the detector, or from a motion file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import assets
from ..base.errors import InputError
from ..base.notes import Note, unnoted
from ..base.timebase import FPS, sample_count
from ..media.images import load_image
from ..media.motion_rate import at_model_rate
from ..media.waveform import Waveform
from ..pose.motion import Motion
from ..pose.motion_file import load_motion
from ..pose.openpose import read_pose_file
from .pose_finder import DRIVING_VIDEOS, PoseFinder
from .request import MotionRequest, VideoRequest

UNKNOWN_POSE = (
    "the background lock does not know the portrait's own pose; if parts of the person stay visible behind "
    "the motion, give it with --keypoints"
)


def first_pose(request: MotionRequest, finder: PoseFinder, note: Note = unnoted) -> Motion:
    """The pose that a motion begins with."""
    if request.demo_portrait:
        return read_pose_file(assets.asset(assets.POSE))
    if request.image is None and request.keypoints is None:
        raise InputError(
            "there is no pose to start from", fix="give --keypoints pose.json or --demo-portrait"
        )
    image = None if request.image is None else load_image(request.image, note)
    if request.keypoints is not None:
        size = None if image is None else image.shape[1::-1]
        return read_pose_file(request.keypoints, size=size, note=note).window([0])
    assert image is not None, "checked above"
    return finder.on_portrait(image, request.image).motion


def pose_of_video(
    request: VideoRequest, image: NDArray[np.uint8], finder: PoseFinder, note: Note = unnoted
) -> Motion:
    """The given motion, else one frame: the pose in the portrait; both refer to that image."""
    size = image.shape[1::-1]
    if request.motion is not None:
        return _given_motion(request, size, finder, note)
    return portrait_pose(request, image, finder, note)


def portrait_pose(
    request: VideoRequest, image: NDArray[np.uint8], finder: PoseFinder, note: Note = unnoted
) -> Motion:
    """The pose in the portrait, one frame: of the request's keypoints, else of the detector."""
    size = image.shape[1::-1]
    if request.keypoints is None:
        return finder.on_portrait(image, request.image).motion
    pose = read_pose_file(request.keypoints, size=size, note=note).window([0])
    return pose.on_portrait(size, request.keypoints)


def own_pose(
    request: VideoRequest, image: NDArray[np.uint8], finder: PoseFinder, note: Note
) -> Motion | None:
    """The portrait's own pose beside a given motion, or None and a note where it is unknown."""
    if request.keypoints is None and not finder.available:
        note(UNKNOWN_POSE)
        return None
    return portrait_pose(request, image, finder, note)


def same_length(
    motion: Motion, sound: Sequence[Waveform]
) -> tuple[Motion, tuple[Waveform, ...], tuple[str, ...]]:
    """A motion and the channels of its sound, both cut to the shorter of the two, and a note about it."""
    if not sound or sound[0].frames == motion.frames:
        return motion, tuple(sound), ()
    frames = min(motion.frames, sound[0].frames)
    cut = tuple(channel.padded(sample_count(frames, channel.rate)) for channel in sound)
    return motion.window(slice(0, frames)), cut, (length_note(motion.frames, sound[0].frames),)


def length_note(motion: int, sound: int) -> str:
    """The note for a motion and recording of different length."""
    longer = "motion" if motion > sound else "recording"
    return f"the motion has {motion} frames, the recording {sound}; the end of the {longer} is cut off"


def _given_motion(request: VideoRequest, size: tuple[int, int], finder: PoseFinder, note: Note) -> Motion:
    path = Path(str(request.motion))
    if path.suffix.lower() in DRIVING_VIDEOS:
        motion = finder.in_video(path, request.start, request.duration).motion
    elif path.suffix.lower() == ".json" or path.is_dir():
        motion = at_model_rate(read_pose_file(path, size=size, note=note), request.motion_fps or FPS)
    else:
        motion = load_motion(path)
    return motion.on_portrait(size, path)
