"""Reads a prepared data set: the index, and from the shards only the entries that are wanted."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import IO, Any

from ...base.errors import InputError
from ...base.files import existing_file
from ...base.limits import CONFIG_BYTES
from ...base.progress import Progress, silent
from ...base.tensor_file import file_sha256
from .arrays import from_npy
from .clip import Clip, ClipInfo
from .index import DatasetIndex, ShardInfo, read_index
from .layout import ENTRIES, INFO, LONGEST, REQUIRED, SHORTEST, array_layouts
from .store import AGAIN, FolderStore, ShardStore, store_of

ENTRY_BYTES = 2**28  # of one entry; half a minute of video at 2048 pixels has less
NAME = re.compile(r"[0-9a-f]{12}-\d{3,6}\.[a-z0-9.]{1,40}")
FIELDS: dict[str, str] = dict(
    zip(ENTRIES, ("info", "motion", "prosody", "wavlm", "speech", "sound", "video"), strict=True)
)
"""Name of an entry -> field of `Clip`."""


@dataclass(frozen=True)
class PreparedData:
    """A prepared data set, opened; nothing but the index is in memory.

    Attributes:
        folder: where its index is. index: see `DatasetIndex`; `index.hash` is the data's identity.
        store: gives its shards as files on this machine.
    """

    folder: Path
    index: DatasetIndex
    store: ShardStore

    @classmethod
    def open(cls, path: str | PathLike[str]) -> PreparedData:
        """Open a folder that `mmgt prepare` wrote, or an address such as s3://bucket/data (`RemoteStore`).

        Raises InputError where there is none, where another version wrote it, and where the index is damaged
        or a shard of a folder is missing or has another size.
        """
        store = store_of(path)
        folder = store.index()
        index = read_index(folder)
        if isinstance(store, FolderStore):
            for shard in index.shards:
                store.path(shard)
        return cls(folder, index, store)

    def shards(self, split: str) -> tuple[ShardInfo, ...]:
        """The shards of "train" or "validation", in the order of their names."""
        return tuple(shard for shard in self.index.shards if shard.split == split)

    def shards_with(self, keys: Set[str]) -> tuple[ShardInfo, ...]:
        """The shards of both splits that hold any of these clips."""
        return tuple(
            shard
            for shard in self.index.shards
            if any(clip.info.key in keys for clip in self.iterate(shard, (INFO,)))
        )

    def read(self, shard: ShardInfo, entries: Sequence[str] = ENTRIES) -> list[Clip]:
        """The clips of one shard in their order; see `read_shard`.

        Raises InputError also where a clip is missing.
        """
        return list(self.iterate(shard, entries))

    def iterate(self, shard: ShardInfo, entries: Sequence[str] = ENTRIES) -> Iterator[Clip]:
        """The clips of `read` one after the other, held one at a time."""
        path, clips, frames = self.store.path(shard), 0, 0
        for clip in iterate_shard(path, entries, speech=self.index.speech):
            clips, frames = clips + 1, frames + clip.frames
            yield clip
        if (clips, frames) != (shard.clips, shard.frames):
            raise InputError(
                f"the shard is damaged: {clips} clips instead of {shard.clips}", where=path, fix=AGAIN
            )

    def verify(self, progress: Progress = silent) -> None:
        """Read all shards and compare their SHA-256; raises InputError for the first that differs."""
        for done, shard in enumerate(self.index.shards, 1):
            path = self.store.path(shard)
            if file_sha256(path) != shard.sha256:
                raise InputError("the shard is damaged: its SHA-256 is another", where=path, fix=AGAIN)
            progress(done, len(self.index.shards))


def read_shard(path: str | PathLike[str], entries: Sequence[str] = ENTRIES, *, speech: str) -> list[Clip]:
    """The clips of one shard, in their order.

    Args:
        entries: of `layout.ENTRIES`; others are skipped in the file, not read. `json` is always read.
        speech: kind of the data's Stage II features, `DatasetIndex.speech`.

    Raises InputError where the file is missing or damaged, or an array has another type or shape.
    """
    return list(iterate_shard(path, entries, speech=speech))


def iterate_shard(
    path: str | PathLike[str], entries: Sequence[str] = ENTRIES, *, speech: str
) -> Iterator[Clip]:
    """The clips of `read_shard` one after the other, held one at a time."""
    unknown = set(entries) - set(ENTRIES)
    if unknown:
        raise ValueError(f"there is no entry {sorted(unknown)}")
    path = existing_file(path, "the shard")
    try:
        with open(path, "rb") as file:
            for key, members in _samples(file, path.stat().st_size, {INFO, *entries}):
                yield _clip(key, members, entries, speech)
    except (tarfile.TarError, OSError, ValueError, EOFError, OverflowError, MemoryError) as error:
        raise InputError(f"the shard is damaged ({error})", where=path, fix=AGAIN) from error


def _samples(file: IO[bytes], size: int, wanted: set[str]) -> Iterator[tuple[str, dict[str, bytes]]]:
    """(key, entries) of each sample: neighbors in the file whose names are equal up to the first dot.

    A file that can seek is read only where a wanted entry is.
    """
    key, entries, seen = "", {}, set()
    with tarfile.open(fileobj=file, mode="r:") as tar:
        for member in tar:
            name, _, suffix = member.name.partition(".")
            if not member.isreg() or member.issparse() or not 0 <= member.size <= min(size, ENTRY_BYTES):
                raise ValueError(f"{member.name[:60]!r} is no file of {member.size} bytes")
            if not NAME.fullmatch(member.name):
                raise ValueError(f"{member.name[:60]!r} is not the name of an entry")
            if name != key:
                if entries:
                    yield key, entries
                if name in seen:
                    raise ValueError(f"the sample {name[:60]!r} comes twice")
                seen.add(name)
                key, entries = name, {}
            if suffix in entries:
                raise ValueError(f"{member.name[:60]!r} comes twice")
            if suffix in wanted:
                source = tar.extractfile(member)
                assert source is not None, "checked above"
                entries[suffix] = source.read()
            tar.members = []  # type: ignore[attr-defined]  # a shard's table of contents is not kept
    if entries:
        yield key, entries


def _clip(key: str, members: dict[str, bytes], entries: Sequence[str], speech: str) -> Clip:
    """The clip of a sample; raises ValueError, which names it, for anything that is not as it should be."""
    try:
        if len(members.get(INFO, b"")) > CONFIG_BYTES:
            raise ValueError("its description is too long")
        if missing := [name for name in REQUIRED if name not in members and name in {INFO, *entries}]:
            raise ValueError(f"{missing[0]} is missing")
        info = ClipInfo.from_json(members[INFO])
        if info.key != key or not SHORTEST <= info.frames <= LONGEST:
            raise ValueError(f"its description is of {info.key[:60]!r} with {info.frames} frames")
        layouts, values = array_layouts(speech), dict[str, Any]()
        for name in set(members) - {INFO}:
            data = members[name]
            values[FIELDS[name]] = from_npy(data, layouts[name], info.frames) if name in layouts else data
    except ValueError as error:
        raise ValueError(f"{key[:60]}: {error}") from error
    return Clip(info, **values)
