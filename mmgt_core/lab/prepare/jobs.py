"""What is to be done for a source, what came of it, and why a whole file may be left out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .parts import Refusal
from .settings import ClipSettings
from .sources import Source

MISSING, CHANGED, UNREADABLE, NO_SOUND = "missing", "changed", "unreadable", "no sound"
POSES, NO_POSES, DUPLICATE = "poses", "no poses", "duplicate"
FILE_REASONS = {
    MISSING: "a table names the file, and it is not there",
    CHANGED: "the file's SHA-256 is not the table's",
    UNREADABLE: "the file cannot be read to its end",
    NO_SOUND: "the file has no sound",
    NO_POSES: "there are no poses beside it, and no detector",
    POSES: "the poses beside it cannot be read, or are of another video",
    DUPLICATE: "another source is the same file",
}
"""Reasons for which a whole file is left out."""


@dataclass(frozen=True)
class Job:
    """A source to prepare.

    Attributes:
        folder: for its part. models: hash of the files of encoders and detector.
    """

    source: Source
    settings: ClipSettings
    folder: Path
    models: str


@dataclass(frozen=True)
class Outcome:
    """What came of a job: the name of its part and the source's SHA-256, or the reason why there is none."""

    part: str = ""
    sha256: str = ""
    refusal: Refusal | None = None


class Refused(Exception):
    """The whole source is left out."""

    def __init__(self, reason: str, detail: str = ""):
        super().__init__(reason)
        self.reason, self.detail = reason, detail
