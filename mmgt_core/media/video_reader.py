"""Video files as frames, one by one or all at once, upright and at the frame rate asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from ..base.limits import VIDEO_BYTES_IN_MEMORY, VIDEO_FRAMES, VIDEO_PIXELS, VIDEO_RATE
from .opening import open_media
from .waveform import sample_range

if TYPE_CHECKING:
    import av.container

WHAT = "a video"
VIDEO_FIX = "give an MP4, MOV, MKV, WebM or AVI video"


@dataclass(frozen=True)
class VideoClip:
    """Decoded frames, uint8 RGB (frames, height, width, 3), and their rate."""

    frames: NDArray[np.uint8]
    fps: float


def read_video(
    path: str | PathLike[str], *, fps: float | None = None, start: float = 0.0, duration: float | None = None
) -> VideoClip:
    """All frames of a video, or of a part of it.

    Args:
        path: any video that FFmpeg reads.
        fps: frames a second to give back, by repeating and leaving out; None: as they are.
        start, duration: seconds.

    Raises:
        InputError: missing, unreadable, without images, too long for the memory, or `start` beyond the end.
    """
    frames: list[NDArray[np.uint8]] = []
    for frame in iterate_video(path, fps=fps, start=start, duration=duration):
        frames.append(frame)
        if len(frames) * frame.nbytes > VIDEO_BYTES_IN_MEMORY:
            raise InputError("the video is too long to be held in memory", where=path, fix="use a part of it")
    return VideoClip(np.stack(frames), fps or video_rate(path))


def iterate_video(
    path: str | PathLike[str], *, fps: float | None = None, start: float = 0.0, duration: float | None = None
) -> Iterator[NDArray[np.uint8]]:
    """The frames of `read_video` one after the other, uint8 RGB (height, width, 3), held one at a time."""
    for _, picture in iterate_shown(path, fps=fps, start=start, duration=duration):
        yield picture


def iterate_shown(
    path: str | PathLike[str], *, fps: float | None = None, start: float = 0.0, duration: float | None = None
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """The frames of `iterate_video`, each with its index among all frames that the file holds, from 0.

    A frame that is shown for longer than `fps` has it comes several times, with the same index.
    """
    path = Path(path)
    sample_range(1, start, duration)
    count, shown = 0, 0
    with open_media(path, WHAT, VIDEO_FIX) as container:
        stream = _pictures(container, path)
        rate = _checked_rate(Fraction(fps).limit_denominator(1001)) if fps else _rate(stream)
        first, stop = sample_range(1_000_000, start, duration)
        wanted = None if stop is None else -(-(stop - first) * rate // 1_000_000)
        origin: float | None = None
        previous: NDArray[np.uint8] | None = None
        for time, picture in _timed(container, stream):
            origin = time if origin is None else origin
            time -= origin + start
            count += 1
            if previous is not None or time > -1e-6:
                # Everything due before this frame's time shows the frame before it.
                while (wanted is None or shown < wanted) and float(shown / rate) < time - 0.25 / float(rate):
                    yield (count - 1, picture) if previous is None else (count - 2, previous)
                    shown = _counted(shown, path)
            previous = picture
            if wanted is not None and shown >= wanted:
                return
        if previous is not None and origin is not None:
            end = time + 0.75 / float(_rate(stream))  # the last frame lasts as long as the others
            while (wanted is None or shown < wanted) and float(shown / rate) < end:
                yield count - 1, previous
                shown = _counted(shown, path)
    if count == 0:
        raise InputError("the video has no images", where=path, fix=VIDEO_FIX)
    if shown == 0:
        raise InputError(
            f"start {start:g} s lies beyond the end of the video", where=path, fix="start earlier"
        )


def video_rate(path: str | PathLike[str]) -> float:
    """Frames a second of a video file."""
    with open_media(path, WHAT, VIDEO_FIX) as container:
        return float(_rate(_pictures(container, Path(path))))


def first_frame_time(path: str | PathLike[str]) -> float:
    """Seconds from the beginning of the file, where its sound begins, to its first frame.

    Raises InputError as `iterate_video` does.
    """
    import av

    with open_media(path, WHAT, VIDEO_FIX) as container:
        stream = _pictures(container, Path(path))
        begin = (container.start_time or 0) / av.time_base
        for time, _ in _timed(container, stream):
            return max(time - begin, 0.0)
    raise InputError("the video has no images", where=path, fix=VIDEO_FIX)


def _counted(shown: int, path: Path) -> int:
    """One frame more; raises InputError past the limit, be it that the file's times jump."""
    if shown >= VIDEO_FRAMES:
        raise InputError(f"the video has more than {VIDEO_FRAMES} frames", where=path, fix="use a part of it")
    return shown + 1


def _pictures(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    if not container.streams.video:
        raise InputError("the file has no images", where=path, fix=VIDEO_FIX)
    return container.streams.video[0]


def _rate(stream: av.VideoStream) -> Fraction:
    return _checked_rate(stream.average_rate or stream.guessed_rate or Fraction(25))


def _checked_rate(rate: Fraction) -> Fraction:
    if not VIDEO_RATE[0] <= rate <= VIDEO_RATE[1]:
        raise ValueError(f"its rate is {float(rate):g} frames a second")
    return rate


def _timed(
    container: av.container.InputContainer, stream: av.VideoStream
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Time in seconds and upright RGB image of each decoded frame."""
    from av.video.reformatter import ColorRange

    if stream.codec_context is None:
        raise ValueError("its images are in an unknown codec")
    stream.thread_type = "AUTO"
    if stream.width * stream.height > VIDEO_PIXELS:
        raise ValueError(f"its frames have {stream.width} x {stream.height} pixels")
    stream.codec_context.options = {"max_pixels": str(VIDEO_PIXELS)}  # also where they grow on the way
    rate = float(_rate(stream))
    for index, frame in enumerate(container.decode(stream)):
        # Full range has to be asked for: older PyAV (16 and before) leaves RGB in the range of the video.
        picture = frame.reformat(format="rgb24", dst_color_range=ColorRange.JPEG).to_ndarray()
        turns = round(getattr(frame, "rotation", 0) / 90) % 4  # available since PyAV 14.2
        time = index / rate if frame.time is None else float(frame.time)
        yield time, np.ascontiguousarray(np.rot90(picture, turns), dtype=np.uint8)
