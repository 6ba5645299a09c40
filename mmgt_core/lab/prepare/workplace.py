"""The output folder of `mmgt prepare`: ours or empty, one run at a time, and what is left in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...base.atomic_files import atomic_write
from ...base.errors import InputError
from ...base.full_disk import explain_full_disk
from ...work.lock import Busy, FileLock
from ..dataset.layout import INDEX, SHARDS
from .report import FILES

WORK, MARKER, LOCK = "work", "prepare.json", "lock"
BEGUN = re.compile(
    r"\.(dataset|report|rejected|examples|prepare|(train|validation)-\d{5}|[0-9a-f]{12}-[0-9a-f]{20})"
    r"\.[0-9a-f]{8}\.\w+"
)
"""Names of files that a killed run of ours did not finish."""
OWN = {INDEX, SHARDS, WORK, *FILES}


@contextmanager
def workplace(out: Path) -> Iterator[Path]:
    """The folder for parts, DATA/work, held for this run.

    Raises InputError where the output folder holds something else, is a file, or another run uses it.
    """
    work = out / WORK
    if out.exists() and not out.is_dir():
        raise InputError("this is a file", where=out, fix="give a folder for --out")
    if out.is_dir() and not (work / MARKER).is_file():
        foreign = sorted(p.name for p in out.iterdir() if not p.name.startswith(".") and p.name not in OWN)
        if foreign:
            raise InputError(
                f"the folder holds something else ({foreign[0]})",
                where=out,
                fix="give an empty folder, or one that `mmgt prepare` made, for --out",
            )
    with explain_full_disk(out):
        with atomic_write(work / MARKER) as temporary:
            temporary.write_text('{"mmgt_prepare": 1}\n', encoding="utf-8")
        lock = FileLock(work / LOCK)
        try:
            lock.acquire()
        except Busy as error:
            raise InputError(
                "another run prepares data here", where=out, fix="wait for it, or choose another folder"
            ) from error
        try:
            for path in (*work.glob(".*"), *out.glob(".*"), *(out / SHARDS).glob(".*")):
                if BEGUN.fullmatch(path.name):
                    path.unlink()
            yield work
        finally:
            lock.release(remove=True)


def remove_unused(work: Path, used: set[str]) -> None:
    """Remove the parts that this run did not use: those of other options, and of files that are gone."""
    for path in work.glob("*.tar"):
        if path.name not in used:
            path.unlink(missing_ok=True)
