"""`mmgt demo`: a shipped portrait says the shipped speech."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .. import assets
from ..pipeline.marking import MarkSettings
from ..pipeline.request import VideoRequest
from ..pipeline.settings import MotionSettings, Settings, VideoSettings, WorkSettings
from ..video.sampling import Sampling
from .console import Console
from .generate import make_video


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    out: Path = Path("output/demo.mp4")
    """The video file to write (.mp4)."""
    portrait: Literal[1, 2] = 1
    """Which of the shipped people speaks."""
    start: float = 0.0
    """Seconds of the recording to skip."""
    duration: float | None = None
    """Seconds of the recording to use. None = up to its end."""
    fps: float | None = None
    """Frame rate of the file: frames are repeated or dropped, the duration stays. None = 25."""
    contact_sheet: Path | None = None
    """An overview of the frames as an image. None = next to the video."""
    sampling: Sampling = field(default_factory=Sampling)
    motion: MotionSettings = field(default_factory=MotionSettings)
    models: VideoSettings = field(default_factory=VideoSettings)
    work: WorkSettings = field(default_factory=WorkSettings)
    origin: MarkSettings = field(default_factory=MarkSettings)
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or mps."""
    preview: Path | None = None
    """Keep the newest frame in this image while the video is made."""


def run(options: Options, console: Console) -> int:
    """Make the video and its contact sheet; their names go to stdout."""
    sheet = options.out.with_name(f"{options.out.stem}_contact_sheet.jpg")
    portrait, pose = assets.PORTRAITS[options.portrait - 1]
    request = VideoRequest(
        image=assets.asset(portrait),
        out=options.out,
        audio=assets.asset(assets.SPEECH),
        keypoints=assets.asset(pose),
        start=options.start,
        duration=options.duration,
        contact_sheet=options.contact_sheet or sheet,
        fps=options.fps,
    )
    stages = options.motion, options.models
    settings = Settings(options.sampling, *stages, options.work, options.device, marks=options.origin)
    return make_video(request, settings, options.preview, console)
