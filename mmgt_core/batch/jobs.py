"""The jobs of a batch, read one line at a time: a file of any length takes 8 bytes of memory a line."""

from __future__ import annotations

import array
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import InputError
from ..queue.jobs import (
    BadJob,
    check_seed,
    decoded,
    given_consent,
    given_name,
    job_lines,
    no_jobs,
    parse_object,
    same_name,
)
from .options import Chosen, choices
from .storage import is_address

OWN_KEYS = ("name", "seed", "consent")


@dataclass(frozen=True)
class BatchJob:
    """One video of a batch.

    `line` is the job's line in the jobs file, counted from 1. None as seed or consent: that of the run.
    """

    name: str
    line: int
    chosen: Chosen = Chosen()
    seed: int | None = None
    consent: str | None = None

    @property
    def where(self) -> str:
        """How messages call it."""
        return f"{self.name} (line {self.line})"

    @property
    def file(self) -> str:
        """Name of the video within the folder of the results."""
        return f"{self.name}.mp4"

    def key(self, run: str) -> bytes:
        """16 bytes that change with everything that the video depends on.

        Args:
            run: what stands for the settings of the run.

        Files on disks count with their size and time; those in object stores by their address alone.
        """
        files = {name: [text, *file_state(text)] for name, text in self.chosen.files.items()}
        values: list[Any] = [run, self.name, self.chosen.values, files, self.seed, self.consent]
        text = json.dumps(values, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).digest()[:16]


def parse_batch_job(text: str, line: int, folder: Path) -> BatchJob:
    """One line of a jobs file; raises InputError with a sentence that says what is wrong."""
    fields = parse_object(text)
    others = {key: value for key, value in fields.items() if key not in OWN_KEYS}
    return BatchJob(
        name=given_name(fields, line),
        line=line,
        chosen=choices(others, folder),
        seed=check_seed(fields.get("seed")),
        consent=given_consent(fields),
    )


class JobsFile:
    """A jobs file that is read as often as wanted, and never held in memory.

    Making it reads the file once, for the number of jobs and for names that occur twice.

    Raises InputError for a file without jobs, or one that cannot be read.
    """

    def __init__(self, path: Path):
        self._path, self._folder = path, path.absolute().parent
        names = array.array("Q")
        self.count = 0
        for number, line in job_lines(path):
            self.count += 1
            try:
                names.append(_hash(given_name(parse_object(decoded(line, number)), number)))
            except InputError:
                continue  # it is reported when its turn comes
        if not self.count:
            raise no_jobs(path)
        self._repeated = _repeated(names)

    def __iter__(self) -> Iterator[BatchJob | BadJob]:
        """The jobs in order; a line that is none becomes a `BadJob` that says why."""
        first: dict[str, int] = {}  # of the names that occur twice alone
        for number, line in job_lines(self._path):
            try:
                job = parse_batch_job(decoded(line, number), number, self._folder)
                if _hash(job.name) in self._repeated:
                    if job.name.casefold() in first:
                        raise same_name(job.name, first[job.name.casefold()])
                    first[job.name.casefold()] = number
            except InputError as error:
                yield BadJob(f"line {number}", str(error))
            else:
                yield job


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.casefold().encode(), digest_size=8).digest(), "big")


def _repeated(hashes: array.array[int]) -> frozenset[int]:
    import numpy as np

    values, counts = np.unique(np.frombuffer(hashes, np.uint64), return_counts=True)
    return frozenset(values[counts > 1].tolist())


def file_state(text: str) -> tuple[int, ...]:
    """Size in bytes and time in nanoseconds of a file on a disk, where it is one."""
    if is_address(text):
        return ()
    try:
        state = Path(text).stat()
    except (OSError, ValueError):
        return ()
    return state.st_size, state.st_mtime_ns
