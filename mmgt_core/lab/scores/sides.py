"""One version of a clip, a model's or the true one: motion, sound and images, read when they are needed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from ...base.timebase import FPS, SAMPLE_RATE
from ...media.sound_file import load_waveform
from ...media.video_reader import iterate_video, video_rate
from ...media.waveform import Waveform
from ...pose.motion import Motion
from ...pose.motion_file import load_motion
from ...pose.openpose import read_pose_file
from ..dataset.clip import Clip

Image = NDArray[np.uint8]
RATE_SLACK = 0.01  # frames a second by which a rate may miss 25 and still count as 25


class Side(Protocol):
    """One version of a clip at 25 frames a second."""

    @property
    def has_motion(self) -> bool: ...

    @property
    def has_video(self) -> bool: ...

    def motion(self) -> Motion | None:
        """(n, 134, 3) keypoints, None where there are none."""
        ...

    def sound(self) -> Waveform | None:
        """Mono sound, None where there is none."""
        ...

    def images(self) -> Iterator[Image]:
        """uint8 RGB (height, width, 3), one at a time; nothing where there is no video."""
        ...


@dataclass(frozen=True)
class FileSide:
    """Files of one clip; what is None is missing.

    Attributes:
        video: any video file; its sound counts where `recording` is None.
        poses: motion file (.safetensors), pose file (.json), or folder of OpenPose files. Pose files have the
            rate of the video, or, without a video, 25 frames a second.
        recording: a sound file. labels: phonemes with their times (`scores.phonemes`).
    """

    video: Path | None = None
    poses: Path | None = None
    recording: Path | None = None
    labels: Path | None = None

    @property
    def has_motion(self) -> bool:
        return self.poses is not None

    @property
    def has_video(self) -> bool:
        return self.video is not None

    def motion(self) -> Motion | None:
        """See `Side`; raises InputError where the file is no motion."""
        if self.poses is None:
            return None
        if self.poses.suffix.lower() == ".safetensors":
            return load_motion(self.poses)
        size = None
        if self.video is not None:
            first = next(iterate_video(self.video))
            size = (first.shape[1], first.shape[0])
        motion = read_pose_file(self.poses, size=size)
        return motion if self.video is None else _at_25(motion, video_rate(self.video))

    def sound(self) -> Waveform | None:
        """See `Side`; raises InputError where a file cannot be read, or a sound file has no sound."""
        if self.recording is not None:
            return load_waveform(self.recording)
        if self.video is None or not _has_sound(self.video):
            return None
        return load_waveform(self.video)

    def images(self) -> Iterator[Image]:
        """See `Side`; raises InputError where the video cannot be read."""
        if self.video is not None:
            yield from iterate_video(self.video, fps=FPS)


@dataclass(frozen=True)
class PreparedSide:
    """A clip of a prepared data set."""

    clip: Clip
    block: int = 50

    @property
    def has_motion(self) -> bool:
        return self.clip.motion is not None

    @property
    def has_video(self) -> bool:
        return self.clip.video is not None

    def motion(self) -> Motion | None:
        """See `Side`."""
        return None if self.clip.motion is None else self.clip.poses()

    def sound(self) -> Waveform | None:
        """See `Side`."""
        return None if self.clip.sound is None else Waveform(self.clip.samples(), SAMPLE_RATE)

    def images(self) -> Iterator[Image]:
        """See `Side`."""
        if self.clip.video is None:
            return
        for first in range(0, self.clip.frames, self.block):
            yield from self.clip.images(range(first, min(first + self.block, self.clip.frames)))


def in_blocks(images: Iterator[Image], size: int) -> Iterator[list[Image]]:
    """The images in lists of at most `size`."""
    while block := list(itertools.islice(images, size)):
        yield block


def _at_25(motion: Motion, rate: float) -> Motion:
    """A motion of `rate` frames a second, the nearest frame of it for each frame at 25."""
    if abs(rate - FPS) < RATE_SLACK:
        return motion
    count = max(round(motion.frames * FPS / rate), 1)
    index = (torch.arange(count) * rate / FPS).round().long().clamp(max=motion.frames - 1)
    return motion.window(index)


def _has_sound(path: Path) -> bool:
    from ...media.opening import open_media

    with open_media(path, "a video", "give a video file") as container:
        return bool(container.streams.audio)
