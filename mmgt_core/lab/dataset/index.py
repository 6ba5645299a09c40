"""The index of a prepared data set, `dataset.json`: what is in it, and which shard holds it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base.atomic_files import atomic_write
from ...base.errors import InputError
from ...base.feature_kinds import LOG_MEL
from ...base.files import read_json
from ...base.timebase import FPS, SAMPLE_RATE
from .layout import INDEX, SIZES, SPEECH_SHAPES, SPLITS, STRIDE_SECONDS, VERSION, WINDOW_SECONDS
from .records import record_of

INDEX_BYTES = 2**26
MOST_SHARDS = 100_000
FIX = "give the folder that `mmgt prepare` wrote with --out"


@dataclass(frozen=True)
class ShardInfo:
    """One tar file: `shards/NAME`.

    Attributes:
        name: such as train-00000.tar; split: train or validation.
        bytes, sha256: of the file. clips, frames: in it.
    """

    name: str
    split: str
    bytes: int
    sha256: str
    clips: int
    frames: int


@dataclass(frozen=True)
class SpeakerInfo:
    """A speaker's share of each split."""

    name: str
    train_clips: int
    train_frames: int
    validation_clips: int
    validation_frames: int


@dataclass(frozen=True)
class DatasetIndex:
    """The content of `dataset.json`.

    Attributes:
        size: pixels of a side of the square video.
        speech: kind of Stage II's audio rows, "log-mel" or "wav2vec2-base-960h".
        wavlm: whether clips have WavLM rows for Stage I.
        split: how the clips were divided: "speaker", "recording", "time", or "none".
        windows: how many windows of 3.2 s every 0.5 s the clips hold, train and validation together.
        shards, speakers: in the order of their names.
        fps, sample_rate, window_seconds, stride_seconds: constants of this version.
    """

    size: int
    speech: str
    wavlm: bool
    split: str
    windows: int
    shards: tuple[ShardInfo, ...]
    speakers: tuple[SpeakerInfo, ...]
    fps: int = FPS
    sample_rate: int = SAMPLE_RATE
    window_seconds: float = WINDOW_SECONDS
    stride_seconds: float = STRIDE_SECONDS

    @property
    def hash(self) -> str:
        """The data's identity for run files: SHA-256 over the shards' SHA-256, 64 hexadecimal digits."""
        return hashlib.sha256("\n".join(shard.sha256 for shard in self.shards).encode()).hexdigest()

    def clips(self, split: str | None = None) -> int:
        """Clips of one split, or of both."""
        return sum(shard.clips for shard in self.shards if split in (None, shard.split))

    def frames(self, split: str | None = None) -> int:
        """Frames of one split, or of both; 90,000 are an hour."""
        return sum(shard.frames for shard in self.shards if split in (None, shard.split))

    def write(self, folder: Path) -> None:
        """Write `dataset.json` into the folder, whole or not at all."""
        values = {"mmgt_dataset": VERSION, **dataclasses.asdict(self), "hash": self.hash}
        values |= {"clips": self.clips(), "frames": self.frames()}
        text = json.dumps(values, indent=1, ensure_ascii=False) + "\n"
        with atomic_write(folder / INDEX, durable=True) as temporary:
            temporary.write_text(text, encoding="utf-8")


def read_index(folder: Path) -> DatasetIndex:
    """The index of a prepared data set.

    Raises InputError where there is none, where another version wrote it, and where it is damaged.
    """
    path = folder / INDEX
    if not path.is_file():
        raise InputError("this is not a prepared data set: it has no dataset.json", where=folder, fix=FIX)
    return read_index_file(path)


def read_index_file(path: Path) -> DatasetIndex:
    """The index in a file; raises InputError as `read_index` does."""
    values = read_json(path, "the data set's index", largest=INDEX_BYTES, fix=FIX)
    if not isinstance(values, Mapping) or "mmgt_dataset" not in values:
        raise InputError("this is not the index of a prepared data set", where=path, fix=FIX)
    version = values["mmgt_dataset"]
    if version != VERSION:
        raise InputError(
            f"the data set has version {str(version)[:20]}, this program reads version {VERSION}",
            where=path,
            fix="prepare the data again",
        )
    try:
        return _parsed(values)
    except ValueError as error:
        raise InputError(
            f"the data set's index is damaged ({error})", where=path, fix="prepare the data again"
        ) from error


def _parsed(values: Mapping[str, Any]) -> DatasetIndex:
    simple = {name: values[name] for name in values if name not in ("shards", "speakers")}
    shards = [record_of(ShardInfo, value) for value in _list(values, "shards")]
    speakers = [record_of(SpeakerInfo, value) for value in _list(values, "speakers")]
    head = record_of(_Head, simple)
    index = DatasetIndex(**dataclasses.asdict(head), shards=tuple(shards), speakers=tuple(speakers))
    constants = DatasetIndex(index.size, LOG_MEL, False, "", 0, (), ())
    for name in ("fps", "sample_rate", "window_seconds", "stride_seconds"):
        if getattr(index, name) != getattr(constants, name):
            raise ValueError(f"'{name}' is {getattr(index, name):g}")
    if index.speech not in SPEECH_SHAPES:
        raise ValueError(f"'speech' is {index.speech[:40]!r}")
    if not SIZES[0] <= index.size <= SIZES[1]:
        raise ValueError(f"'size' is {index.size}")
    for shard in shards:
        plain = Path(shard.name).name == shard.name and shard.name.endswith(".tar")
        if shard.split not in SPLITS or not plain:
            raise ValueError(f"a shard is named {shard.name[:40]!r}")
    if values.get("hash") != index.hash:
        raise ValueError("its hash is not that of its shards")
    return index


def _list(values: Mapping[str, Any], name: str) -> Sequence[Any]:
    entries = values.get(name)
    if not isinstance(entries, list) or len(entries) > MOST_SHARDS:
        raise ValueError(f"'{name}' is not a list")
    return entries


@dataclass(frozen=True)
class _Head:
    """The values of `DatasetIndex` that are neither lists nor derived."""

    size: int
    speech: str
    wavlm: bool
    split: str
    windows: int
    fps: int
    sample_rate: int
    window_seconds: float
    stride_seconds: float
