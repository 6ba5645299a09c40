"""Tables of videos: a manifest as CSV or JSONL, and PATS' table of intervals."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ...base.errors import InputError
from ...base.files import existing_file, parse_json
from ...base.limits import MEDIA_SECONDS, PATH

TABLES = (".csv", ".jsonl")
TABLE_BYTES = 2**28
LINE = 2**16  # characters of a line
FIX = "give columns file, start, end, speaker, license, sha256; file alone is required"
PATS = ("interval_id", "speaker", "start_time", "end_time")  # columns by which PATS' table is known
CLOCK = re.compile(r"(?:\d+ days? |\d{4}-\d\d-\d\d )?(\d{1,3}):(\d{1,2}):(\d{1,2}(?:\.\d+)?)")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class TableRow:
    """One row: a part of a file.

    Attributes:
        names: where the file may be, below the folder of videos, the likeliest first.
        start, end: seconds; None: to the end of the file.
        sha256: lower case, or empty.
    """

    names: tuple[str, ...]
    start: float
    end: float | None
    speaker: str
    license: str
    sha256: str


def read_table(path: Path) -> list[TableRow]:
    """The rows of a manifest (.csv, .jsonl) or of PATS' `cmu_intervals_df.csv`.

    Raises InputError, which names the line, for anything that cannot be meant.
    """
    path = existing_file(path, "the table", largest=TABLE_BYTES)
    rows = []
    for line, values in _records(path):
        try:
            pats = all(name in values for name in PATS)
            rows.append(_pats_row(values) if pats else _row(values))
        except ValueError as error:
            raise InputError(f"line {line} of the table: {error}", where=path, fix=FIX) from error
    if not rows:
        raise InputError("the table has no rows", where=path, fix=FIX)
    return rows


def _records(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(line, values by column)."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() == ".csv":
                reader = csv.DictReader(_short(file), strict=True)
                for values in reader:
                    yield (
                        reader.line_num,
                        {k: v for k, v in values.items() if k is not None and v is not None},
                    )
                return
            for line, text in enumerate(_short(file), 1):
                if text.strip():
                    values = parse_json(text)
                    if not isinstance(values, Mapping):
                        raise ValueError(f"line {line} is not an object")
                    yield line, {k: "" if v is None else v for k, v in values.items()}
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"the table cannot be read ({error})", where=path, fix=FIX) from error


def _short(lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if len(line) > LINE:
            raise ValueError(f"line {number} has more than {LINE} characters")
        yield line


def _row(values: Mapping[str, Any]) -> TableRow:
    name = _text(values, "file")
    if not name or len(name) > PATH or "\0" in name:
        raise ValueError("there is no file name")
    digest = _text(values, "sha256").lower()
    if digest and not SHA256.fullmatch(digest):
        raise ValueError("its sha256 does not have 64 hexadecimal digits")
    speaker = _text(values, "speaker") or PurePosixPath(name).stem
    times = _times(values, "start", "end")
    return TableRow((name,), *times, speaker, _text(values, "license"), digest)


def _pats_row(values: Mapping[str, Any]) -> TableRow:
    """A row of PATS: videos are looked up by `video_fn`, else by the last characters of `video_link`."""
    speaker, name, link = (_text(values, key) for key in ("speaker", "video_fn", "video_link"))
    ids = [name, re.split(r"[=/]", link)[-1] if link else "", link[-11:]]
    names = [f"{folder}{one}" for one in ids if one for folder in (f"{speaker}/", "")]
    if not names or any(len(one) > PATH or "\0" in one for one in names):
        raise ValueError("there is neither video_fn nor video_link")
    return TableRow(tuple(dict.fromkeys(names)), *_times(values, "start_time", "end_time"), speaker, "", "")


def _times(values: Mapping[str, Any], first: str, last: str) -> tuple[float, float | None]:
    start = _seconds(values.get(first, ""), first)
    end = _seconds(values.get(last, ""), last)
    if end is not None and end <= (start or 0.0):
        raise ValueError(f"{last} is not after {first}")
    return start or 0.0, end


def _seconds(value: Any, name: str) -> float | None:
    """Seconds of a number, or of a text such as 83.2, 0:01:23.2 or 0 days 00:01:23.2; None for nothing."""
    text = str(value).strip()
    if not text:
        return None
    if match := CLOCK.fullmatch(text):
        hours, minutes, seconds = match.groups()
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    try:
        seconds = float(text)
    except ValueError as error:
        raise ValueError(f"{name} is {text[:40]!r}") from error
    if not (math.isfinite(seconds) and 0 <= seconds <= MEDIA_SECONDS * 10):
        raise ValueError(f"{name} is {text[:40]!r}")
    return seconds


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name, "")
    if not isinstance(value, str | int | float):
        raise ValueError(f"{name} is not a text")
    return str(value).strip()
