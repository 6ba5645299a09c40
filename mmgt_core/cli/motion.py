"""`mmgt motion`: only Stage I, from a recording to a motion file or a video of the moving skeleton."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..base.presets import Preset, Quality
from ..pipeline.marking import MarkSettings
from ..pipeline.request import MotionRequest
from ..pipeline.settings import MotionSettings, SpeakerChoice
from .console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    files: MotionRequest
    motion: MotionSettings = field(default_factory=MotionSettings)
    speaker: SpeakerChoice = field(default_factory=SpeakerChoice)
    preset: Preset = "recommended"
    """Defaults: recommended, or official, which makes every choice as the authors' script does."""
    seed: int = 0
    """Random seed. The same seed gives the same motion on the same machine."""
    quality: Quality = "exact"
    """exact, fast (at most 8 deterministic steps), or draft (5, without guidance); see docs/quality.md."""
    marks: bool = True
    """Write into a skeleton video that it is generated; see docs/marks.md."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or mps."""


def run(options: Options, console: Console) -> int:
    """Make the motion; its file name goes to stdout."""
    from ..pipeline.generate import generate_motion_file

    result = generate_motion_file(
        options.files,
        options.motion,
        options.preset,
        options.seed,
        options.device,
        console.stage,
        options.speaker,
        options.quality,
        MarkSettings(marks=options.marks),
    )
    for note in result.notes:
        console.note(f"note: {note}")
    console.close()
    print(*result.files, sep="\n")
    return 0
