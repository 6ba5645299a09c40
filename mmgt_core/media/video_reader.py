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

from ..audio.waveform import sample_range
from ..errors import InputError

if TYPE_CHECKING:
    import av.container

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
        InputError: missing, unreadable, without pictures, or `start` beyond the end.
    """
    frames = list(iterate_video(path, fps=fps, start=start, duration=duration))
    return VideoClip(np.stack(frames), fps or video_rate(path))


def iterate_video(
    path: str | PathLike[str], *, fps: float | None = None, start: float = 0.0, duration: float | None = None
) -> Iterator[NDArray[np.uint8]]:
    """The frames of `read_video` one after the other, uint8 RGB (height, width, 3), held one at a time."""
    import av
    from av.error import FFmpegError

    path = _checked(path)
    sample_range(1, start, duration)
    count, shown = 0, 0
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            stream = _pictures(container, path)
            rate = Fraction(fps).limit_denominator(1001) if fps else _rate(stream)
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
                    while (wanted is None or shown < wanted) and float(shown / rate) < time - 0.25 / float(
                        rate
                    ):
                        yield picture if previous is None else previous
                        shown += 1
                previous = picture
                if wanted is not None and shown >= wanted:
                    return
            if previous is not None and origin is not None:
                end = time + 0.75 / float(_rate(stream))  # the last frame lasts as long as the others
                while (wanted is None or shown < wanted) and float(shown / rate) < end:
                    yield previous
                    shown += 1
    except (FFmpegError, ValueError) as error:
        raise InputError(
            f"this is not a video that can be read ({error})", where=path, fix=VIDEO_FIX
        ) from error
    if count == 0:
        raise InputError("the video has no pictures", where=path, fix=VIDEO_FIX)
    if shown == 0:
        raise InputError(
            f"start {start:g} s lies beyond the end of the video", where=path, fix="start earlier"
        )


def video_rate(path: str | PathLike[str]) -> float:
    """Frames a second of a video file."""
    import av
    from av.error import FFmpegError

    path = _checked(path)
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            return float(_rate(_pictures(container, path)))
    except (FFmpegError, ValueError) as error:
        raise InputError(
            f"this is not a video that can be read ({error})", where=path, fix=VIDEO_FIX
        ) from error


def _checked(path: str | PathLike[str]) -> Path:
    path = Path(path)
    if not path.is_file():
        raise InputError("there is no such file", where=path, fix="check the path of the video")
    return path


def _pictures(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    if not container.streams.video:
        raise InputError("the file has no pictures", where=path, fix=VIDEO_FIX)
    return container.streams.video[0]


def _rate(stream: av.VideoStream) -> Fraction:
    return stream.average_rate or stream.guessed_rate or Fraction(25)


def _timed(
    container: av.container.InputContainer, stream: av.VideoStream
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Time in seconds and upright RGB picture of each decoded frame."""
    stream.thread_type = "AUTO"
    rate = float(_rate(stream))
    for index, frame in enumerate(container.decode(stream)):
        picture = frame.to_ndarray(format="rgb24")
        turns = round(getattr(frame, "rotation", 0) / 90) % 4  # PyAV tells it from 14.2 on
        time = index / rate if frame.time is None else float(frame.time)
        yield time, np.ascontiguousarray(np.rot90(picture, turns), dtype=np.uint8)
