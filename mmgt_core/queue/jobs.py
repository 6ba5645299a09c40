"""Jobs and the file that lists them: one JSON object a line, from people or programs and so never trusted."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..base.errors import InputError
from ..base.files import existing_file
from ..base.limits import JOB_LINE as MAX_LINE
from ..base.limits import JOB_SETS as MAX_SETS
from ..base.limits import JOB_TEXT as MAX_TEXT
from ..base.limits import JOBS as MAX_JOBS
from ..base.limits import PATH as MAX_PATH
from ..marks.record import checked_text

Scalar = str | int | float | bool

MAX_SEED = 2**64 - 1  # the host's own limit
KEYS = ("name", "image", "audio", "seed", "set", "consent")

# A name becomes the start of file names, on Windows too.
NAME = re.compile(r"[^\W_][\w .+-]{0,99}")
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Job:
    """One run of the workflow.

    `sets` maps "NODE.INPUT" to a value; a text "@file" stands for an uploaded file. Relative paths of files
    belong to `folder`. `line` is the job's line in a jobs file, counted from 1. `consent` is a reference to
    the consent of the person shown, which goes into the marks of the results.
    """

    name: str
    image: Path | None = None
    audio: Path | None = None
    seed: int | None = None
    sets: Mapping[str, Scalar] = field(default_factory=dict)
    folder: Path = Path()
    line: int | None = None
    consent: str | None = None

    @property
    def where(self) -> str:
        """How messages call it."""
        return self.name if self.line is None else f"{self.name} (line {self.line})"


@dataclass(frozen=True)
class BadJob:
    """A line that is no job, or a job that cannot be run; the others are not concerned."""

    where: str
    reason: str


def read_jobs(path: Path) -> list[Job | BadJob]:
    """The jobs of a file, in order; a line that is no job becomes a `BadJob` that says why.

    Raises InputError where the file as a whole is none: no text, no jobs, or too many.
    """
    found: list[Job | BadJob] = []
    names: dict[str, int] = {}
    for number, line in job_lines(path):
        if len(found) >= MAX_JOBS:
            raise InputError(f"more than {MAX_JOBS} jobs", where=path, fix="split the file")
        try:
            job = parse_job(decoded(line, number), number, path.absolute().parent)
            if job.name.casefold() in names:
                raise same_name(job.name, names[job.name.casefold()])
        except InputError as error:
            found.append(BadJob(f"line {number}", str(error)))
        else:
            names[job.name.casefold()] = number
            found.append(job)
    if not found:
        raise no_jobs(path)
    return found


def job_lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """(number from 1, line) of the lines that are not blank; None for one that is too long. One at a time."""
    with existing_file(path, "the file of jobs").open("rb") as stream:
        for number, line in enumerate(_lines(stream), 1):
            if line is None or line.strip():
                yield number, line


def no_jobs(path: Path) -> InputError:
    return InputError("no jobs in it", where=path, fix='write one JSON object a line: {"image": "a.png"}')


def same_name(name: str, line: int) -> InputError:
    return InputError(f'the name "{name}" is also that of line {line}', fix="change one")


def _lines(stream: Any) -> Iterable[bytes | None]:
    """The lines of a binary stream; None for one that is too long, which is never held in memory."""
    while line := stream.readline(MAX_LINE + 1):
        if len(line) <= MAX_LINE:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE)
        yield None


def decoded(line: bytes | None, number: int) -> str:
    """The text of a line of `job_lines`; raises InputError where it has none."""
    if line is None:
        raise InputError(f"longer than {MAX_LINE} bytes")
    try:
        return line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise InputError("not UTF-8 text", fix="save the file as UTF-8") from error


def parse_job(text: str, line: int, folder: Path) -> Job:
    """One line of a jobs file; raises InputError with a sentence that says what is wrong."""
    fields = parse_object(text)
    unknown = [str(key)[:40] for key in fields if key not in KEYS]
    if unknown:
        raise InputError(f'unknown key "{unknown[0]}"', fix=f"the keys are {', '.join(KEYS)}")
    sets = fields.get("set", {})
    if not isinstance(sets, dict) or len(sets) > MAX_SETS:
        raise InputError(f'"set" is no object of at most {MAX_SETS} entries', fix='write {"12.steps": 20}')
    return Job(
        name=given_name(fields, line),
        image=_path(fields, "image", folder),
        audio=_path(fields, "audio", folder),
        seed=check_seed(fields.get("seed")),
        sets={key: _scalar(key, value) for key, value in sets.items()},
        folder=folder,
        line=line,
        consent=given_consent(fields),
    )


def given_name(fields: Mapping[str, Any], line: int) -> str:
    """The name of a job, or the one that its line gets."""
    return check_name(fields.get("name", f"job-{line:04d}"))


def parse_object(text: str) -> dict[str, Any]:
    """The JSON object of a line; raises InputError where it is none."""
    try:
        fields = json.loads(text, parse_constant=_no_constant)
        json.dumps(fields, ensure_ascii=False).encode()  # half a surrogate pair could not even be shown
    except (ValueError, RecursionError) as error:
        raise InputError(f"not a JSON object: {str(error)[:120]}") from error
    if not isinstance(fields, dict):
        raise InputError("not a JSON object", fix='write {"image": "a.png", "audio": "a.wav"}')
    return fields


def parse_set(text: str) -> tuple[str, str]:
    """`NODE.INPUT=VALUE` of the command line as ("NODE.INPUT", "VALUE")."""
    key, equals, value = text.partition("=")
    if not equals or "." not in key:
        raise InputError(f'"{text[:80]}" is no NODE.INPUT=VALUE', where="--set", fix="write 12.steps=20")
    return key.strip(), value


def check_name(name: object) -> str:
    """A job's name if its results can be called so on every system."""
    good = (
        isinstance(name, str)
        and NAME.fullmatch(name)
        and name[-1] not in " ."
        and not RESERVED.fullmatch(name)
    )
    if not good:
        shown = json.dumps(name, ensure_ascii=False)[:60]
        raise InputError(
            f"{shown} cannot begin the name of a file",
            where='"name"',
            fix="begin with a letter or digit, and use at most 100 letters, digits, spaces and . _ + -",
        )
    return str(name)


def check_seed(seed: object) -> int | None:
    if seed is None or (isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed <= MAX_SEED):
        return seed
    raise InputError("not a whole number from 0 to 2^64 - 1", where='"seed"')


def _path(fields: Mapping[str, Any], key: str, folder: Path) -> Path | None:
    text = fields.get(key)
    return None if text is None else folder / path_text(key, text)


def path_text(key: str, text: object) -> str:
    """The text, if it can be the path of a file."""
    if not isinstance(text, str) or not 0 < len(text) <= MAX_PATH or "\0" in text:
        raise InputError("not the path of a file", where=f'"{key}"')
    return text


def given_consent(fields: Mapping[str, Any]) -> str | None:
    """The consent reference of a job."""
    text = fields.get("consent")
    return None if text is None else checked_text(text, '"consent"')


def _scalar(key: str, value: object) -> Scalar:
    if "." not in key or len(key) > 200:
        raise InputError(f'"{key[:60]}" is no NODE.INPUT', where='"set"', fix='write {"12.steps": 20}')
    finite = not isinstance(value, float) or math.isfinite(value)  # JSON can write 1e999
    if isinstance(value, str | int | float | bool) and finite and len(str(value)) <= MAX_TEXT:
        return value
    raise InputError(
        f"neither a number, nor true or false, nor a text of at most {MAX_TEXT} characters", where=f'"{key}"'
    )


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")
