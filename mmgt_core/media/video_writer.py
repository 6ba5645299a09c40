"""Video files written as the frames come: H.264 and AAC through PyAV, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.atomic_files import flush, temporary_path
from ..base.errors import DependencyError, InputError
from ..base.full_disk import explain_full_disk, is_full
from ..base.timebase import FPS
from ..marks.movie import MUXER_OPTIONS, complete, streams_id
from ..marks.record import Record
from .containers import CONTAINERS
from .images import to_uint8
from .sound_stream import SoundStream
from .waveform import Waveform

SOUND_RATE = 48_000  # Hz; every player knows it
UNWRITTEN = "the video was not written"
SOUND_BLOCK = 1024  # samples of one AAC frame
SOUND_BITS = 128_000  # a second and channel
LAYOUTS = {1: "mono", 2: "stereo"}
GENERATED = Record()


class VideoWriter:
    """Writes frames and, if given, their sound; use as a context manager.

    The file is made beside its place and takes it only when all went well; an error, also one raised by the
    caller inside the `with` block, leaves nothing behind and an older file untouched. Sound goes in
    step with the frames and is cut where they end.

        with VideoWriter("out.mp4", 512, 512, audio=waveform) as video:
            for chunk in chunks:
                video.write(chunk)

    Args:
        path: ends in .mp4, .mov or .mkv.
        width, height: of the frames, any; H.264 needs even sides, so an odd one gets its last line twice.
        fps: frames a second.
        audio: the sound, from the first frame on; two waveforms of one rate are left and right.
        crf: quality of H.264, lower is better; 18 is hard to distinguish from the original.
        record: what the file says about its origin (docs/marks.md); None: nothing.

    Raises:
        InputError: a wrong ending, a place that cannot be written, frames of another size, or none.
        DependencyError: this build of PyAV cannot encode H.264.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        width: int,
        height: int,
        fps: float | Fraction = FPS,
        *,
        audio: Waveform | Sequence[Waveform] | None = None,
        crf: int = 18,
        record: Record | None = GENERATED,
    ):
        self.path = Path(path)
        if self.path.suffix.lower() not in CONTAINERS:
            raise InputError(
                f'videos cannot be written as "{self.path.suffix}"',
                where=self.path,
                fix="end the name in .mp4",
            )
        if width < 2 or height < 2:
            raise InputError(f"a video of {width} x {height} pixels cannot be written", where=self.path)
        self.width, self.height = width, height
        self.fps = Fraction(fps).limit_denominator(1001)
        self.frames = 0
        self._audio_given = [] if audio is None else _channels(audio)
        self._sound: SoundStream | None = None
        self._sound_done = 0
        self._crf, self._record = crf, record
        self._container: Any = None
        self._temporary = temporary_path(self.path)

    def __enter__(self) -> VideoWriter:
        import av

        try:
            if self._audio_given:
                self._sound = SoundStream(self._audio_given, SOUND_RATE)
            options = MUXER_OPTIONS[self.path.suffix.lower()]
            self._container = av.open(f"file:{self._temporary}", "w", container_options=options)
            if self._record is not None:
                self._container.metadata.update(self._record.tags())
            self._add_streams()
        except BaseException as error:
            self._discard()
            if isinstance(error, OSError):
                fix = "choose another place"
                raise InputError(f"cannot be written ({error.strerror})", where=self.path, fix=fix) from error
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            with explain_full_disk(self.path, UNWRITTEN):
                self._finish()
        finally:
            self._discard()

    def write(self, frames: Any) -> None:
        """Append frames (n, height, width, 3), or one: uint8 or float in [0, 1], numpy or torch."""
        if self._container is None:
            raise RuntimeError("write inside the `with` block of the VideoWriter")
        chunk = frames[None] if frames.ndim == 3 else frames
        if tuple(chunk.shape[1:]) != (self.height, self.width, 3):
            shape = f"{tuple(chunk.shape[1:])}, not {(self.height, self.width, 3)}"
            raise InputError(f"frames have the shape (height, width, 3) = {shape}", where=self.path)
        with explain_full_disk(self.path, UNWRITTEN):
            for frame in chunk:
                self._write_frame(to_uint8(frame))

    def _add_streams(self) -> None:
        from av.error import FFmpegError
        from av.video.reformatter import ColorRange, Colorspace

        try:
            video = self._container.add_stream("libx264", rate=self.fps)
        except (ValueError, FFmpegError) as error:
            raise DependencyError(
                "this PyAV has no H.264 encoder", fix="install PyAV from PyPI: pip install av"
            ) from error
        video.width, video.height = self.width + self.width % 2, self.height + self.height % 2
        video.pix_fmt = "yuv420p"
        # x264's mbtree sometimes writes another file for the same images; without it the same run writes
        # the same file, also when it continues after a crash.
        video.options = {"crf": str(self._crf), "preset": "medium", "mbtree": "0"}
        video.codec_context.time_base = 1 / self.fps
        # Say which matrix and range the colors were converted with, so that no player guesses.
        video.codec_context.colorspace = Colorspace.ITU709
        video.codec_context.color_primaries = video.codec_context.color_trc = 1
        video.codec_context.color_range = ColorRange.MPEG
        self._video = video
        if self._sound is not None:
            layout = LAYOUTS[len(self._audio_given)]
            self._audio = self._container.add_stream("aac", rate=SOUND_RATE, layout=layout)
            self._audio.bit_rate = SOUND_BITS * len(self._audio_given)

    def _write_frame(self, picture: NDArray[np.uint8]) -> None:
        import av
        from av.video.reformatter import ColorRange, Colorspace

        odd = ((0, self.height % 2), (0, self.width % 2), (0, 0))
        picture = np.ascontiguousarray(np.pad(picture, odd, mode="edge") if any(map(any, odd)) else picture)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format="yuv420p",
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            dst_colorspace=Colorspace.ITU709,
        )
        frame.pts, frame.time_base = self.frames, 1 / self.fps
        self._container.mux(self._video.encode(frame))
        self.frames += 1
        self._write_sound(round(self.frames * SOUND_RATE / self.fps))

    def _write_sound(self, until: int, *, last: bool = False) -> None:
        """Encode the sound up to sample `until`, in whole AAC blocks unless it is the last."""
        import av

        if self._sound is None:
            return
        until = min(until, self._sound.samples)
        while (left := until - self._sound_done) >= SOUND_BLOCK or (last and left > 0):
            block = self._sound.take(min(SOUND_BLOCK, left))
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(block.clip(-1, 1)), format="fltp", layout=LAYOUTS[len(block)]
            )
            frame.sample_rate, frame.pts, frame.time_base = (
                SOUND_RATE,
                self._sound_done,
                Fraction(1, SOUND_RATE),
            )
            self._container.mux(self._audio.encode(frame))
            self._sound_done += block.shape[1]

    def _finish(self) -> None:
        if self.frames == 0:
            raise InputError("a video needs at least one frame", where=self.path)
        self._write_sound(round(self.frames * SOUND_RATE / self.fps), last=True)
        self._container.mux(self._video.encode(None))
        if self._sound is not None:
            self._container.mux(self._audio.encode(None))
        try:
            self._container.close()
            with open(self._temporary, "rb+") as file:
                if self._record is not None:
                    complete(file, self._record, self._content_id())
                flush(file)  # before the work that it was made from is removed
            self._temporary.replace(self.path)
        except OSError as error:
            if is_full(error):
                raise
            raise InputError(
                f"cannot be written ({error.strerror})", where=self.path, fix="choose another place"
            ) from error

    def _content_id(self) -> str:
        import av

        with av.open(f"file:{self._temporary}") as written:
            return streams_id(written)

    def _discard(self) -> None:
        """Close what is open and remove the unfinished file; after success there is neither."""
        container, self._container = self._container, None
        self._sound = None
        try:
            if container is not None:
                container.close()
        except (OSError, ValueError):
            pass  # the file goes away in any case
        finally:
            self._temporary.unlink(missing_ok=True)


def write_video(
    path: str | PathLike[str],
    frames: Any,
    fps: float | Fraction = FPS,
    *,
    audio: Waveform | Sequence[Waveform] | None = None,
    crf: int = 18,
    record: Record | None = GENERATED,
) -> None:
    """Write frames (n, height, width, 3) at once; see `VideoWriter`."""
    height, width = frames.shape[1:3]
    with VideoWriter(path, width, height, fps, audio=audio, crf=crf, record=record) as video:
        video.write(frames)


def _channels(audio: Waveform | Sequence[Waveform]) -> list[Waveform]:
    """One or two channels; raises InputError for more, or of unequal length."""
    given = [audio] if isinstance(audio, Waveform) else list(audio)
    sizes = {(channel.samples.size, channel.rate) for channel in given}
    if len(given) not in LAYOUTS or len(sizes) > 1:
        raise InputError(
            f"{len(given)} channels of sound cannot be written", fix="give one, or two of the same length"
        )
    return given
