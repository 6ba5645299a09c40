"""The files that data is made from: folders of videos, single videos, and tables of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...base.errors import InputError
from .manifest import TABLES, TableRow, read_table

VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg", ".ts", ".mxf", ".wmv", ".flv")
NAME = 100  # characters of a speaker's label


@dataclass(frozen=True)
class Interval:
    """A part of a file that is of one speaker: seconds; `end` None is the end of the file."""

    start: float
    end: float | None
    speaker: str
    license: str = ""


@dataclass(frozen=True)
class Source:
    """One video file.

    Attributes:
        path: where it is; None where a table names a file that was not found.
        label: how reports name it: its path below the folder or the table that it was found by.
        intervals: the wanted parts in order, which do not overlap.
        sha256: what the table says that the file has; empty: not said.
    """

    path: Path | None
    label: str
    intervals: tuple[Interval, ...]
    sha256: str = ""


def find_sources(given: Sequence[Path], videos: Path | None = None) -> list[Source]:
    """The sources of folders, videos and tables, each file once, in the order of their labels.

    Args:
        given: folders (all videos below; the speaker is the first folder below it, else the file's name),
            videos, or tables (see `manifest`).
        videos: folder in which a table's videos are; None: the table's own.

    Raises InputError where there is nothing, a folder without videos, and for tables that cannot be read.
    """
    found: list[Source] = []
    for path in given:
        if path.is_dir():
            found += _in_folder(path)
        elif path.suffix.lower() in TABLES:
            found += _in_table(path, videos or path.parent)
        elif path.is_file():
            found.append(_whole(path, path.name, path.stem))
        else:
            raise InputError("there is no such file or folder", where=path, fix="check the path")
    if not found:
        raise InputError("there is nothing to prepare", fix="give a folder of videos, a video or a table")
    return _merged(found)


def _in_folder(folder: Path) -> list[Source]:
    sources = []
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root, name)
            if path.suffix.lower() in VIDEOS and not name.startswith("."):
                inside = path.relative_to(folder)
                speaker = inside.parts[0] if len(inside.parts) > 1 else path.stem
                sources.append(_whole(path, inside.as_posix(), speaker))
    if not sources:
        raise InputError(
            "the folder contains no videos", where=folder, fix=f"give one with {VIDEOS[0]} files"
        )
    return sources


def _whole(path: Path, label: str, speaker: str) -> Source:
    return Source(path, label, (Interval(0.0, None, speaker_label(speaker)),))


def speaker_label(text: str) -> str:
    """A speaker's label without what cannot be printed, at most 100 characters; "speaker" for nothing."""
    return "".join(letter for letter in text.strip() if letter.isprintable())[:NAME] or "speaker"


def _in_table(table: Path, folder: Path) -> list[Source]:
    rows: dict[tuple[str, ...], list[TableRow]] = {}
    for row in read_table(table):
        rows.setdefault(row.names, []).append(row)
    names = _names_below(folder) if any(_place(folder, row) is None for row in rows) else {}
    sources = []
    for candidates, own in rows.items():
        path = _place(folder, candidates)
        if path is None:
            path = next((names[name] for name in candidates if name in names), None)
        parts = _intervals(table, candidates[0], own)
        hashes = {row.sha256 for row in own if row.sha256}
        if len(hashes) > 1:
            raise InputError(
                f"two SHA-256 for the file {candidates[0]}", where=table, fix="correct the table"
            )
        sources.append(Source(path, candidates[0], parts, next(iter(hashes), "")))
    return sources


def _place(folder: Path, candidates: Sequence[str]) -> Path | None:
    for name in candidates:
        for path in (folder / name, *(folder / f"{name}{ending}" for ending in VIDEOS)):
            if path.is_file() and path.suffix.lower() in VIDEOS:
                return path
    return None


def _names_below(folder: Path) -> dict[str, Path]:
    """File name, with and without its ending -> the first video of that name below the folder."""
    found: dict[str, Path] = {}
    for root, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = Path(root, name)
            if path.suffix.lower() in VIDEOS:
                found.setdefault(name, path)
                found.setdefault(path.stem, path)
    return found


def _intervals(table: Path, name: str, rows: list[TableRow]) -> tuple[Interval, ...]:
    """The rows of one file in order, those of one speaker that touch or overlap joined."""
    parts: list[Interval] = []
    for row in sorted(rows, key=lambda row: (row.start, row.end is None, row.end or 0)):
        part = Interval(row.start, row.end, speaker_label(row.speaker), row.license)
        last = parts[-1] if parts else None
        if last is None or (last.end is not None and last.end < part.start):
            parts.append(part)
        elif (last.speaker, last.license) == (part.speaker, part.license):
            end = None if last.end is None or part.end is None else max(last.end, part.end)
            parts[-1] = replace(last, end=end)
        elif last.end == part.start:
            parts.append(part)
        else:
            raise InputError(
                f"{name}: the speakers {last.speaker} and {part.speaker} overlap at {part.start:g} s",
                where=table,
                fix="give each second to one speaker",
            )
    return tuple(parts)


def _merged(sources: list[Source]) -> list[Source]:
    """Each file once; labels that several files have get the number of their file."""
    unique: dict[str, Source] = {}
    for source in sources:
        key = source.label if source.path is None else os.fspath(source.path.resolve())
        unique.setdefault(key, source)
    return sorted(_named(list(unique.values())), key=lambda source: source.label)


def _named(sources: list[Source]) -> Iterator[Source]:
    seen: dict[str, int] = {}
    for source in sources:
        seen[source.label] = seen.get(source.label, 0) + 1
        number = seen[source.label]
        yield source if number == 1 else replace(source, label=f"{source.label} ({number})")
