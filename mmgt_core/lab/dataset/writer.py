"""Writes a prepared data set: clips in a shuffled order into tar files of the webdataset layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ...base.atomic_files import atomic_write, flush
from ...base.errors import DependencyError
from ...base.full_disk import explain_full_disk
from ...base.progress import Progress, silent
from ...base.tensor_file import file_sha256
from .clip import ClipInfo
from .index import DatasetIndex, ShardInfo, SpeakerInfo
from .layout import INDEX, INFO, SHARDS, SPLITS, windows_of

OWNER = "mmgt"
ROUND = 512  # bytes: a tar file's block


@dataclass(frozen=True)
class PendingClip:
    """A clip that is to be written.

    Attributes:
        load: gives its entries but `json`, by name ("motion.npy" -> bytes); called once, when it is written.
        size: bytes of these entries together, roughly.
    """

    info: ClipInfo
    split: str
    load: Callable[[], Mapping[str, bytes]]
    size: int


def write_dataset(
    folder: Path,
    clips: Sequence[PendingClip],
    *,
    size: int,
    speech: str,
    wavlm: bool,
    split: str,
    seed: int = 0,
    shard_bytes: int = 512 * 2**20,
    progress: Progress = silent,
) -> DatasetIndex:
    """Write `shards/` and, when they are complete, `dataset.json`; the same clips give the same bytes.

    An older index goes first, older shards that are not written again go last.

    Args:
        size, speech, wavlm, split: see `DatasetIndex`.
        seed: of the order of the clips, which does not depend on the order in which they are given.
        shard_bytes: a shard is closed before it would grow beyond this.
        progress: called after every clip.

    Raises InputError where the disk is full or the place cannot be written.
    """
    ordered = sorted(clips, key=lambda clip: clip.info.key)
    place = np.random.default_rng([0xDA7A, seed]).permutation(len(ordered))
    ordered = [ordered[index] for index in place.tolist()]
    done, shards = 0, []
    with explain_full_disk(folder):
        (folder / SHARDS).mkdir(parents=True, exist_ok=True)
        (folder / INDEX).unlink(missing_ok=True)
        for name in SPLITS:
            own = [clip for clip in ordered if clip.split == name]
            for number, group in enumerate(_groups(own, shard_bytes)):
                path = folder / SHARDS / f"{name}-{number:05d}.tar"
                counted = partial(_count, progress, done, len(ordered))
                shards.append(_write_shard(path, name, group, counted))
                done += len(group)
        index = DatasetIndex(
            size=size,
            speech=speech,
            wavlm=wavlm,
            split=split,
            windows=sum(windows_of(clip.info.frames) for clip in ordered),
            shards=tuple(shards),
            speakers=_speakers(ordered),
        )
        index.write(folder)
        kept = {shard.name for shard in shards}
        for path in (folder / SHARDS).glob("*.tar"):
            if path.name not in kept:
                path.unlink()
    return index


def write_samples(path: Path, samples: Iterator[tuple[str, Mapping[str, bytes]]]) -> None:
    """A tar file of samples (key, entries); the same samples give the same bytes.

    Raises OSError on a full disk, InputError where the place cannot be written.
    """
    writer = _tar_writer()
    with atomic_write(path) as temporary, open(temporary, "wb") as file:
        with writer(file, encoder=False, mtime=0, user=OWNER, group=OWNER, mode=0o644, compress=False) as tar:
            for key, entries in samples:
                tar.write({"__key__": key, **entries})
        flush(file)


def _count(progress: Progress, before: int, total: int, done: int) -> None:
    progress(before + done, total)


def _write_shard(
    path: Path, split: str, clips: Sequence[PendingClip], progress: Callable[[int], None]
) -> ShardInfo:
    def samples() -> Iterator[tuple[str, Mapping[str, bytes]]]:
        for done, clip in enumerate(clips, 1):
            yield clip.info.key, {INFO: clip.info.to_json(), **clip.load()}
            progress(done)

    write_samples(path, samples())
    frames = sum(clip.info.frames for clip in clips)
    return ShardInfo(path.name, split, path.stat().st_size, file_sha256(path), len(clips), frames)


def _groups(clips: Sequence[PendingClip], largest: int) -> Iterator[list[PendingClip]]:
    """Neighbors together, as many as a shard holds; at least one."""
    group: list[PendingClip] = []
    total = 0
    for clip in clips:
        size = clip.size + 16 * ROUND  # the entries' headers and padding
        if group and total + size > largest:
            yield group
            group, total = [], 0
        group.append(clip)
        total += size
    if group:
        yield group


def _speakers(clips: Sequence[PendingClip]) -> tuple[SpeakerInfo, ...]:
    names = sorted({clip.info.speaker for clip in clips})
    return tuple(
        SpeakerInfo(
            name,
            *(
                value
                for split in SPLITS
                for own in [[c.info.frames for c in clips if c.info.speaker == name and c.split == split]]
                for value in (len(own), sum(own))
            ),
        )
        for name in names
    )


def _tar_writer():
    try:
        from webdataset.writer import TarWriter
    except ModuleNotFoundError as error:
        raise DependencyError(
            "writing a data set needs the library webdataset", fix="run: pip install 'mmgt[train]'"
        ) from error
    return TarWriter
