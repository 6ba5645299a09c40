"""One clip of a prepared data set: a stretch of one person who is seen and speaks."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import InputError
from ...base.files import parse_json
from ...base.timebase import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from ...pose.motion import Motion
from .layout import KEYFRAME
from .records import record_of

MEDIA_FIX = "prepare the data again"


@dataclass(frozen=True)
class ClipInfo:
    """What is known about a clip, `KEY.json`.

    Attributes:
        key: name of the sample, the first 12 digits of `source`, "-", and a number of three or more digits.
        speaker: label; the only name in it.
        source: SHA-256 of the file that it was cut from, 64 hexadecimal digits.
        start: seconds in that file; seconds: length, `frames` / 25.
        frames: 80 to 750.
        width, height: pixels of the video.
        license: of the source, as its manifest has it; may be empty.
        quality: figures of the quality filter, by name.
    """

    key: str
    speaker: str
    source: str
    start: float
    seconds: float
    frames: int
    width: int
    height: int
    license: str = ""
    quality: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """UTF-8, one line, always the same bytes for the same clip."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> ClipInfo:
        """Inverse of `to_json`; raises ValueError, with a short reason, for anything else."""
        return record_of(cls, parse_json(data))


@dataclass(frozen=True)
class Clip:
    """A clip as it was read; entries that were not asked for, or that the data does not have, are None.

    Attributes:
        info: always there.
        motion: float32 (n, 134, 3), x and y as fractions of the square image, score 0..1, as in `Motion`.
        prosody: float16 (n, 35). wavlm: float16 (n, 1024).
        speech: float16 (n, blocks, channels), rows of Stage II before their windows.
        sound: a FLAC file, mono, 16 kHz, see `samples`.
        video: an MP4 file, n square images at 25 fps, see `images`.
    """

    info: ClipInfo
    motion: NDArray[np.float32] | None = None
    prosody: NDArray[np.float16] | None = None
    wavlm: NDArray[np.float16] | None = None
    speech: NDArray[np.float16] | None = None
    sound: bytes | None = None
    video: bytes | None = None

    @property
    def frames(self) -> int:
        return self.info.frames

    def poses(self) -> Motion:
        """The true motion (n, 134, 3); raises InputError where the entry was not read."""
        import torch

        return Motion(torch.from_numpy(self._entry("motion").copy()), self.info.width, self.info.height)

    def samples(self) -> NDArray[np.float32]:
        """float32 (n * 640,) the sound at 16 kHz in -1..1; exactly 640 samples a frame.

        Raises InputError where the entry was not read, or is damaged.
        """
        from ...media.opening import open_media_data
        from ...media.samples import as_float

        blocks = []
        with open_media_data(self._entry("sound"), self.info.key, "the clip's sound", MEDIA_FIX) as container:
            stream = container.streams.audio[0]
            if stream.rate != SAMPLE_RATE or stream.channels != 1:
                raise ValueError(f"it has {stream.channels} channels at {stream.rate} Hz")
            for frame in container.decode(stream):
                blocks.append(as_float(frame.to_ndarray()).reshape(-1))
        sound = np.concatenate(blocks)
        if len(sound) != self.frames * SAMPLES_PER_FRAME:
            raise self._damaged("sound", len(sound) / SAMPLES_PER_FRAME)
        return sound

    def images(self, frames: Sequence[int] | slice = slice(None)) -> NDArray[np.uint8]:
        """uint8 RGB (frames, height, width, 3), in the order asked for; decodes from the last keyframe on.

        Args:
            frames: indices in 0..n-1, any order; default all.

        Raises InputError where the entry was not read, or is damaged.
        """
        from av.video.reformatter import ColorRange

        from ...media.opening import open_media_data

        wanted = range(self.frames)[frames] if isinstance(frames, slice) else [int(index) for index in frames]
        if not len(wanted):
            return np.zeros((0, self.info.height, self.info.width, 3), np.uint8)
        first, last, found = min(wanted), max(wanted), {}
        if first < 0 or last >= self.frames:
            raise IndexError(f"frames {first}..{last} of a clip with {self.frames}")
        chosen = set(wanted)
        with open_media_data(self._entry("video"), self.info.key, "the clip's video", MEDIA_FIX) as container:
            stream = container.streams.video[0]
            if (stream.width, stream.height) != (self.info.width, self.info.height) or not stream.time_base:
                raise ValueError(f"its images have {stream.width} x {stream.height} pixels")
            if first >= KEYFRAME:
                container.seek(int(first / FPS / stream.time_base), stream=stream)
            for frame in container.decode(stream):
                index = round(float(frame.time or 0) * FPS)
                if index in chosen:
                    rgb = frame.reformat(format="rgb24", dst_color_range=ColorRange.JPEG)
                    found[index] = rgb.to_ndarray()
                if index >= last:
                    break
        if len(found) < len(chosen):
            raise self._damaged("video", len(found))
        return np.stack([found[index] for index in wanted])

    def _entry(self, name: str) -> Any:
        data = getattr(self, name)
        if data is None:
            raise InputError(
                f"the {name} was not read", where=self.info.key, fix="ask for it when the shard is read"
            )
        return data

    def _damaged(self, name: str, frames: float) -> InputError:
        return InputError(
            f"the clip's {name} has {frames:g} frames instead of {self.frames}",
            where=self.info.key,
            fix=MEDIA_FIX,
        )
