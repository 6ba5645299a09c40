"""`mmgt generate`: a portrait and a recording, or a portrait and a motion, become a video."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..base.terms import TERMS, first_time, user_state
from ..pipeline.marking import MarkSettings
from ..pipeline.request import VideoRequest
from ..pipeline.settings import MotionSettings, Settings, SpeakerChoice, VideoSettings, WorkSettings
from ..video.sampling import Sampling
from .console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    files: VideoRequest
    sampling: Sampling = field(default_factory=Sampling)
    motion: MotionSettings = field(default_factory=MotionSettings)
    models: VideoSettings = field(default_factory=VideoSettings)
    speaker: SpeakerChoice = field(default_factory=SpeakerChoice)
    work: WorkSettings = field(default_factory=WorkSettings)
    origin: MarkSettings = field(default_factory=MarkSettings)
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or mps."""
    preview: Path | None = None
    """Keep the newest frame in this image while the video is made."""

    @property
    def settings(self) -> Settings:
        stages = self.sampling, self.motion, self.models
        return Settings(*stages, self.work, self.device, self.speaker, self.origin)


def run(options: Options, console: Console) -> int:
    """Make the video; its file name goes to stdout."""
    if first_time(user_state() / "mmgt"):
        console.note(TERMS)
    return make_video(options.files, options.settings, options.preview, console)


def make_video(request: VideoRequest, settings: Settings, preview: Path | None, console: Console) -> int:
    """Make a video and print the names of the files."""
    from ..pipeline.generate import generate_video

    console.show_frames_in(preview)
    result = generate_video(request, settings, console.stage, console.plan)
    for note in result.notes:
        console.note(f"note: {note}")
    console.close()
    for path in result.files:
        print(path)
    return 0
