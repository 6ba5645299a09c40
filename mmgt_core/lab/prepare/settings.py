"""What a person can choose about `mmgt prepare`: the quality filter's thresholds, sizes and files."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from pathlib import Path

from ...base.errors import InputError
from ...base.feature_kinds import LOG_MEL, WAV2VEC2
from ...base.timebase import FPS
from ..dataset.layout import LONGEST, SHORTEST, SIZES


@dataclass(frozen=True)
class QualityFilter:
    """Thresholds of the quality filter; what it leaves out is listed with its reason in the report."""

    hands: int = 2
    """Hands that must be seen at the same time, 0 to 2 (reason: hands)."""
    hand_points: float = 0.5
    """Share of a hand's points that must be visible and inside the image."""
    hand_gap: float = 1.0
    """Seconds for which a hand may be missing."""
    face_points: float = 0.5
    """Share of the face's points that must be visible (reason: turned away)."""
    face_front: float = 0.12
    """Distance of the nose to the nearer side of the jaw over the jaw's width; 0.5 = from the front."""
    face_gap: float = 0.4
    """Seconds for which the face may be turned away or hidden."""
    second_person: float = 0.35
    """Height of a second person over that of the first, from which on they count (reason: several people)."""
    people_gap: float = 0.2
    """Seconds for which a second person may be seen, or nobody, or too little of the person."""
    shoulders: float = 0.1
    """Width of the shoulders in source pixels over the clip's size (reason: small)."""
    silence: float = 1.5
    """Seconds of a pause that is kept; of longer ones 0.4 s on each side are (reason: silence)."""
    cut: float = 12.0
    """Mean difference of two frames, 0 to 255, and three times that around them, at a cut (reason: cut)."""
    jump: float = 0.5
    """Shoulder widths by which the person moves between two frames at a hidden cut (reason: jump)."""
    shortest: float = 3.2
    """Seconds of the shortest clip, at least 3.2 (reason: short)."""
    longest: float = 30.0
    """Seconds of the longest clip, at most 30; longer stretches are divided."""

    def check(self) -> None:
        """Raise InputError for a threshold that cannot be meant."""
        for entry in fields(self):
            value = getattr(self, entry.name)
            if not (math.isfinite(value) and value >= 0):
                raise _wrong(entry.name, value, "a number from 0 on")
        if self.hands > 2:
            raise _wrong("hands", self.hands, "0, 1 or 2")
        for name in ("hand_points", "face_points", "face_front"):
            if getattr(self, name) > 1:
                raise _wrong(name, getattr(self, name), "a share from 0 to 1")
        if not SHORTEST / FPS <= self.shortest <= self.longest <= LONGEST / FPS:
            raise InputError(
                f"clips of {self.shortest:g} to {self.longest:g} s are not possible",
                where="--shortest, --longest",
                fix=f"choose {SHORTEST / FPS:g} to {LONGEST / FPS:g} s",
            )


@dataclass(frozen=True)
class ClipSettings:
    """How clips are made; a change of any value makes them again."""

    size: int = 512
    """Pixels of a side of the square video, even."""
    wavlm: Path | None = None
    """WavLM-Large, file or folder: adds its features for Stage I."""
    wav2vec2: Path | None = None
    """wav2vec2-base-960h, file or folder: its features for Stage II. None = log-mel, as the demo model's."""
    detector_dir: Path | None = None
    """Folder of the pose detector's two ONNX files, for videos without poses beside them."""
    device: str = "auto"
    """Where encoders and detector run: auto (a GPU if there is one), cpu or cuda."""
    quality: QualityFilter = field(default_factory=QualityFilter)

    @property
    def speech(self) -> str:
        """Kind of the features for Stage II."""
        return LOG_MEL if self.wav2vec2 is None else WAV2VEC2

    def check(self) -> None:
        """Raise InputError for settings that cannot be used."""
        if not SIZES[0] <= self.size <= SIZES[1] or self.size % 2:
            raise _wrong("size", self.size, f"an even number from {SIZES[0]} to {SIZES[1]}")
        for name in ("wavlm", "wav2vec2", "detector_dir"):
            path = getattr(self, name)
            if path is not None and not path.exists():
                option = f"--{name.replace('_', '-')}"
                raise InputError(
                    "there is no such file or folder", where=path, fix=f"check the path of {option}"
                )
        self.quality.check()


@dataclass(frozen=True)
class SetSettings:
    """How the clips are divided and stored."""

    validation: float = 0.1
    """Share of the time that is held out, 0 to 0.5; whole speakers where there are three or more."""
    seed: int = 0
    """Random seed of the split and of the order in the shards."""
    shard_mb: int = 512
    """Megabytes of a shard at most, 1 to 100000."""
    workers: int = 1
    """Files prepared at the same time, each in a process of its own."""
    keep_parts: bool = True
    """Keep DATA/work, as large as the data: more files or another split then cost little."""

    def check(self) -> None:
        """Raise InputError for settings that cannot be used."""
        if not 0 <= self.validation <= 0.5:
            raise _wrong("validation", self.validation, "a share from 0 to 0.5")
        if self.seed < 0:
            raise _wrong("seed", self.seed, "0 or more")
        if not 1 <= self.shard_mb <= 100_000:
            raise _wrong("shard_mb", self.shard_mb, "1 to 100000")
        if not 1 <= self.workers <= 1024:
            raise _wrong("workers", self.workers, "1 to 1024")


def _wrong(name: str, value: float, right: str) -> InputError:
    return InputError(
        f"{value:g} is not possible", where=f"--{name.replace('_', '-')}", fix=f"choose {right}"
    )
