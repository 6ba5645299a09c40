"""Where clips come from: a folder of files, an index in a table, or a prepared data set."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from ...base.errors import InputError
from ...base.files import existing_file, is_folder, parse_json
from ...pose.pose_folder import is_pose_folder
from ..dataset.index import ShardInfo
from ..dataset.layout import INDEX, INFO, MOTION, SOUND, VIDEO
from ..dataset.reader import PreparedData
from .phonemes import ENDING
from .sides import FileSide, PreparedSide, Side

VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v")
SOUNDS = (".wav", ".flac", ".mp3", ".m4a", ".ogg")
POSES = (".safetensors", ".json")
KEYPOINTS, VOCALS = "_keypoints", "_vocals"
INDEX_BYTES, MOST_CLIPS = 2**26, 1_000_000
INDEX_FIX = "give a .csv or .jsonl file with the columns name, pred, truth, audio"
COLUMNS = ("name", "pred", "truth", "audio")


class Collection(Protocol):
    """Clips by name."""

    def names(self) -> list[str]:
        """All names, sorted."""
        ...

    def iterate(self, names: Sequence[str], *, video: bool) -> Iterator[tuple[str, Side]]:
        """The chosen clips one after the other, in an order of the collection's own.

        Args:
            video: whether images are needed; a prepared data set skips them otherwise.
        """
        ...


@dataclass(frozen=True)
class Files:
    """Clips made of files, by name."""

    sides: Mapping[str, FileSide]

    def names(self) -> list[str]:
        """See `Collection`."""
        return sorted(self.sides)

    def iterate(self, names: Sequence[str], *, video: bool) -> Iterator[tuple[str, Side]]:
        """See `Collection`; in the order of the names asked for."""
        for name in names:
            yield name, self.sides[name]


@dataclass(frozen=True)
class Prepared:
    """The clips of one split of a prepared data set, by their keys."""

    data: PreparedData
    split: str

    @property
    def _shards(self) -> tuple[ShardInfo, ...]:
        return self.data.shards(self.split)

    def names(self) -> list[str]:
        """See `Collection`."""
        return sorted(clip.info.key for shard in self._shards for clip in self.data.iterate(shard, (INFO,)))

    def iterate(self, names: Sequence[str], *, video: bool) -> Iterator[tuple[str, Side]]:
        """See `Collection`; in the order of the shards."""
        wanted, entries = set(names), (INFO, MOTION, SOUND, *((VIDEO,) if video else ()))
        for shard in self._shards:
            for clip in self.data.iterate(shard, entries):
                if clip.info.key in wanted:
                    yield clip.info.key, PreparedSide(clip)


def open_collection(path: Path, split: str = "validation") -> Collection:
    """The clips below a folder, or of a split of a prepared data set.

    Raises InputError where there is no folder, or no clip in it.
    """
    if not is_folder(path):
        raise InputError("there is no such folder", where=path, fix="give a folder of videos or motions")
    found: Collection
    if (path / INDEX).is_file():
        found = Prepared(PreparedData.open(path), split)
    else:
        found = Files(files_in(path))
    if not found.names():
        raise InputError(
            "there are no clips",
            where=path,
            fix="give videos, motion files (.safetensors) or pose files (.json); or another --split",
        )
    return found


def files_in(folder: Path) -> dict[str, FileSide]:
    """The clips of a folder and its subfolders: files of the same name up to the ending are one clip.

    NAME.mp4 is its video; NAME.safetensors, NAME.json, NAME_keypoints.json or the folder NAME_keypoints its
    motion; NAME_vocals.wav, else NAME.wav, its sound; NAME.phonemes.csv its phonemes. Names of clips in
    subfolders contain the folder.
    """
    sides: dict[str, FileSide] = {}

    def add(path: Path, name: str, **part: Path) -> None:
        key = path.with_name(name).relative_to(folder).as_posix()
        sides[key] = replace(sides.get(key, FileSide()), **part)

    def walk(place: Path) -> None:
        for path in sorted(place.iterdir()):
            name, ending = path.stem, path.suffix.lower()
            if path.is_dir():
                if is_pose_folder(path):
                    add(path, path.name.removesuffix(KEYPOINTS), poses=path)
                elif not path.name.startswith("."):
                    walk(path)
            elif path.name.endswith(ENDING):
                add(path, path.name.removesuffix(ENDING), labels=path)
            elif ending in VIDEOS:
                add(path, name, video=path)
            elif ending in POSES:
                add(path, name.removesuffix(KEYPOINTS), poses=path)
            elif ending in SOUNDS and not (path.with_name(f"{name}{VOCALS}{path.suffix}").exists()):
                add(path, name.removesuffix(VOCALS), recording=path)

    walk(folder)
    return {name: side for name, side in sides.items() if side.has_motion or side.has_video}


def read_index_table(path: Path) -> tuple[Files, Files | None, dict[str, Path]]:
    """Predictions, truth and sound files of a table with the columns name, pred, truth, audio.

    Paths count from the table's folder; `truth` and `audio` may be missing or empty. A row's name may be
    missing: it is then that of the prediction's file.

    Raises InputError where the table cannot be read, or a row names no prediction or a missing file.
    """
    path = existing_file(path, "the index", largest=INDEX_BYTES)
    preds, truths, sounds = {}, {}, {}
    for number, row in enumerate(_rows(path), 1):
        where = f"{path}, row {number}"
        if not row["pred"]:
            raise InputError("the row names no prediction", where=where, fix=INDEX_FIX)
        name = row["name"] or Path(row["pred"]).stem
        if name in preds:
            raise InputError(f"two rows have the name {name[:80]!r}", where=where, fix="give each its own")
        preds[name] = _side(path.parent, row["pred"], where)
        if row["truth"]:
            truths[name] = _side(path.parent, row["truth"], where)
        if row["audio"]:
            sounds[name] = _existing(path.parent, row["audio"], where)
    return Files(preds), Files(truths) if truths else None, sounds


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".csv":
            rows = [dict(row) for row in csv.DictReader(io.StringIO(text))]
        else:
            rows = [parse_json(line) for line in text.splitlines() if line.strip()]
    except (ValueError, csv.Error) as error:
        raise InputError(f"the index cannot be read ({error})", where=path, fix=INDEX_FIX) from error
    plain = all(
        isinstance(row, dict) and all(isinstance(row.get(name) or "", str) for name in COLUMNS)
        for row in rows
    )
    if not rows or not plain or len(rows) > MOST_CLIPS:
        raise InputError("the index has no rows of texts", where=path, fix=INDEX_FIX)
    return [{name: row.get(name) or "" for name in COLUMNS} for row in rows]


def _existing(folder: Path, text: str, where: str) -> Path:
    """The path of a row; raises InputError, which names the row, where nothing is there."""
    path = folder / text
    try:
        there = path.exists()
    except (OSError, ValueError):  # a name that the system does not take
        there = False
    if not there:
        raise InputError(f"there is no {text[:100]!r}", where=where, fix="check the path in the index")
    return path


def _side(folder: Path, text: str, where: str) -> FileSide:
    """The file of a row, with what belongs to it beside it."""
    path = _existing(folder, text, where)
    if path.is_dir():
        return FileSide(poses=path)
    ending = path.suffix.lower()
    if ending in VIDEOS:
        names = (f"{path.stem}.safetensors", f"{path.stem}.json", f"{path.stem}{KEYPOINTS}")
        beside = (path.with_name(name) for name in names)
        labels = path.with_name(path.stem + ENDING)
        poses = next((file for file in beside if file.exists()), None)
        return FileSide(video=path, poses=poses, labels=labels if labels.exists() else None)
    if ending in POSES:
        return FileSide(poses=path)
    raise InputError(f"{text[:100]!r} is neither video nor motion", where=where, fix=INDEX_FIX)
