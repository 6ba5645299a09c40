"""Sound and images of a clip as the files that a shard holds: FLAC, and H.264 that can be cut anywhere."""

from __future__ import annotations

import io
from collections.abc import Iterable
from fractions import Fraction
from types import TracebackType
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from ...base.timebase import FPS, SAMPLE_RATE
from .layout import KEYFRAME

CRF = 14  # of H.264: no difference is seen; about 1 MB for 10 s at 512 pixels
BLOCK = 4096  # samples of a FLAC frame


def quantized(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Samples in -1..1 as 16 bits; features are taken from what these give back."""
    return np.rint(samples.clip(-1, 1) * 32767).astype(np.int16)


def flac(samples: NDArray[np.int16]) -> bytes:
    """A FLAC file of mono samples at 16 kHz, without loss."""
    stream = io.BytesIO()
    with av.open(stream, "w", format="flac") as container:
        sound = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono", format="s16")
        for start in range(0, len(samples), BLOCK):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + BLOCK], "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return stream.getvalue()


class ClipVideo:
    """H.264 at 25 fps in memory, a keyframe every 12 frames; use as a context manager, then read `data`.

    Args:
        size: pixels of a side, even.
    """

    def __init__(self, size: int):
        self._stream, self._size, self._frames = io.BytesIO(), size, 0
        self._container: Any = None

    def __enter__(self) -> ClipVideo:
        self._container = av.open(self._stream, "w", format="mp4")
        video = self._container.add_stream("libx264", rate=FPS)
        video.width = video.height = self._size
        video.pix_fmt = "yuv420p"
        # One thread, and no mbtree: the same images give the same bytes on any number of cores.
        video.options = {"crf": str(CRF), "preset": "fast", "mbtree": "0", "g": str(KEYFRAME), "threads": "1"}
        video.codec_context.time_base = Fraction(1, FPS)
        video.codec_context.colorspace = Colorspace.ITU709
        video.codec_context.color_primaries = video.codec_context.color_trc = 1
        video.codec_context.color_range = ColorRange.MPEG
        self._video = video
        return self

    def write(self, image: NDArray[np.uint8]) -> None:
        """Append one RGB image (size, size, 3)."""
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24").reformat(
            format="yuv420p",
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            dst_colorspace=Colorspace.ITU709,
        )
        frame.pts, frame.time_base = self._frames, Fraction(1, FPS)
        self._container.mux(self._video.encode(frame))
        self._frames += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._container.mux(self._video.encode(None))
        self._container.close()

    @property
    def data(self) -> bytes:
        """The MP4 file; complete after the `with` block."""
        return self._stream.getvalue()


def mp4(images: Iterable[NDArray[np.uint8]], size: int) -> bytes:
    """An MP4 file of square images, one every 40 ms; see `ClipVideo`."""
    with ClipVideo(size) as video:
        for image in images:
            video.write(image)
    return video.data
