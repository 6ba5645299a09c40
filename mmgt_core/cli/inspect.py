"""`mmgt inspect`: what an image or a video says about its origin, and whether it holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from .console import Console


@dataclass(frozen=True)
class Options:
    """The options of the command."""

    file: Positional[Path]
    """An image (PNG, WebP, JPEG) or a video."""
    json: bool = False
    """Print the report as JSON."""
    watermark: bool = True
    """Also look for the invisible watermark, which decodes up to 250 frames."""


def run(options: Options, console: Console) -> int:
    """Print the report; the status is 0 whatever was found."""
    from ..inspection.report import inspect_file

    report = inspect_file(options.file, watermark=options.watermark)
    if options.json:
        print(json.dumps(report.values(), indent=2, sort_keys=True))
    else:
        print(*report.lines(), sep="\n")
    return 0
