"""What is asked for: a motion or a video, of which files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..base.errors import InputError
from ..media.frame_rate import output_rate
from ..media.video_writer import CONTAINERS
from .settings import StrPath


@dataclass(frozen=True)
class MotionRequest:
    """What `generate_motion_file` makes: `out` is a motion file (.safetensors) or a video of the skeleton.

    The pose comes from `keypoints`, or is found on `image` by the detector in the folder `detector`. With
    `vocals`, the same recording without its music, that is what is heard.
    """

    audio: StrPath
    out: StrPath
    image: StrPath | None = None
    keypoints: StrPath | None = None
    demo_portrait: bool = False
    detector: StrPath | None = None
    person: int | None = None
    start: float = 0.0
    duration: float | None = None
    vocals: StrPath | None = None

    def check(self) -> None:
        """Raise InputError for a name that says no kind of file."""
        out = Path(self.out)
        if out.suffix.lower() not in (".safetensors", *CONTAINERS):
            raise InputError(
                f"motions cannot be written as '{out.suffix}'",
                where=out,
                fix="end the name in .safetensors or .mp4",
            )


@dataclass(frozen=True)
class VideoRequest:
    """What `generate_video` makes: from `keypoints` and `audio`, or from a `motion` with or without `audio`.

    With the pose detector's folder `detector`, keypoints are optional, and `motion` may be a video; for
    `person` see `PoseFinder`. Beside a `motion`, `keypoints` are the portrait's own pose, which the
    background lock needs. With `vocals`, the isolated voice, the models use that and the video keeps `audio`.
    `fps` is the file's rate: frames are repeated or dropped, the duration stays.
    """

    image: StrPath
    out: StrPath
    audio: StrPath | None = None
    keypoints: StrPath | None = None
    motion: StrPath | None = None
    detector: StrPath | None = None
    person: int | None = None
    start: float = 0.0
    duration: float | None = None
    contact_sheet: StrPath | None = None
    vocals: StrPath | None = None
    fps: float | None = None

    def check(self) -> None:
        """Raise InputError for what contradicts itself."""
        out = Path(self.out)
        if out.suffix.lower() not in CONTAINERS:
            raise InputError(
                f"videos cannot be written as '{out.suffix}'", where=out, fix="end the name in .mp4"
            )
        if self.motion is None and self.audio is None:
            raise InputError(
                "there is neither a recording nor a motion",
                fix="give --audio speech.wav or --motion motion.safetensors",
            )
        if self.vocals is not None and self.audio is None:
            raise InputError(
                "there are vocals without their recording", where=self.vocals, fix="give --audio too"
            )
        if self.fps is not None:
            output_rate(self.fps)


@dataclass(frozen=True)
class VideoResult:
    """The files that were written, their frames, and remarks that a person should read."""

    files: tuple[Path, ...]
    frames: int
    notes: tuple[str, ...] = ()
