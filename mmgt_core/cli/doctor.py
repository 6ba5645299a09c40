"""`mmgt doctor`: examines the installation and both stages, and writes a report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import UseAppendAction

from ..base.presets import Preset
from .console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    out: Path = Path("output/doctor")
    """Folder of the report (doctor.md, doctor.json), the video and its contact sheet."""
    seconds: float = 10.0
    """Seconds of the shipped speech to use."""
    preset: Preset = "recommended"
    """Defaults of both stages: recommended or official."""
    models_dir: UseAppendAction[tuple[Path, ...]] = ()
    """A folder laid out like ComfyUI's models; may be repeated. None given = as for `mmgt models`."""
    verify: bool = False
    """Compare the SHA-256 of files where it is known."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or mps."""


def run(options: Options, console: Console) -> int:
    """Write the report; its text goes to stdout, exit status 1 for a fault."""
    from ..doctor.findings import as_markdown
    from ..doctor.run import Examination, examine

    options.out.mkdir(parents=True, exist_ok=True)
    examination = Examination(
        options.out, options.seconds, options.preset, options.models_dir, options.verify, options.device
    )
    report = examine(examination, console.stage)
    console.close()
    print(as_markdown(report.findings))
    for path in report.files:
        console.note(str(path))
    return 1 if report.verdict == "fault" else 0
