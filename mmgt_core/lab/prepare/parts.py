"""Parts: what came out of one source, one file each in DATA/work, which a later run takes up again."""

from __future__ import annotations

import dataclasses
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...base.files import parse_json
from ..dataset.clip import ClipInfo
from ..dataset.layout import INFO
from ..dataset.records import record_of
from ..dataset.writer import write_samples

SUMMARY = "part"
EXAMPLE = "png"
SUMMARY_BYTES = 2**27


@dataclass(frozen=True)
class Refusal:
    """Seconds start..end of a source that are left out: equal for a cut; both 0 for a whole file."""

    start: float
    end: float
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class Example:
    """An image of the contact sheet: the second it is from, and the reason it was left out; "" was kept."""

    time: float
    reason: str
    image: bytes


@dataclass(frozen=True)
class Part:
    """What came out of one source.

    Attributes:
        path: of its file. seconds: of the source; 0 where it could not be read.
        sizes: bytes of each clip's entries.
    """

    path: Path
    seconds: float
    clips: tuple[ClipInfo, ...]
    sizes: tuple[int, ...]
    refusals: tuple[Refusal, ...]
    examples: tuple[Example, ...]
    places: tuple[Mapping[str, tuple[int, int]], ...]

    def load(self, number: int) -> Mapping[str, bytes]:
        """The entries of a clip but `json`, by name."""
        return load_entries(self.path, self.places[number])


def write_part(
    path: Path,
    seconds: float,
    clips: Iterator[tuple[ClipInfo, Mapping[str, bytes]]],
    refusals: Sequence[Refusal],
    examples: Sequence[Example],
) -> None:
    """Write a part, whole or not at all; `clips` are taken one by one, and `examples` read after the last.

    Raises OSError on a full disk.
    """
    infos: list[ClipInfo] = []

    def samples() -> Iterator[tuple[str, Mapping[str, bytes]]]:
        for info, entries in clips:
            infos.append(info)
            yield info.key, {INFO: info.to_json(), **entries}
        summary = {
            "seconds": seconds,
            "refusals": [dataclasses.asdict(refusal) for refusal in refusals],
            "examples": [{"time": one.time, "reason": one.reason} for one in examples],
        }
        images = {f"{number:02d}.{EXAMPLE}": one.image for number, one in enumerate(examples)}
        yield SUMMARY, {INFO: json.dumps(summary).encode(), **images}

    write_samples(path, samples())


def read_part(path: Path) -> Part | None:
    """The part in a file; None where there is none, or it is damaged, and its source has to be read again."""
    try:
        return _read(path)
    except (OSError, ValueError, tarfile.TarError, EOFError, OverflowError, KeyError, TypeError):
        return None


def _read(path: Path) -> Part:
    samples: dict[str, dict[str, tuple[int, int]]] = {}
    with open(path, "rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
        for member in tar:
            key, _, entry = member.name.partition(".")
            samples.setdefault(key, {})[entry] = (member.offset_data, member.size)
    own = samples.pop(SUMMARY)
    head = load_entries(path, {INFO: own[INFO]})[INFO]
    if len(head) > SUMMARY_BYTES:
        raise ValueError("its summary is too long")
    summary = parse_json(head)
    images = load_entries(path, {name: place for name, place in own.items() if name != INFO})
    clips, sizes, places = [], [], []
    for entries in samples.values():
        clips.append(ClipInfo.from_json(load_entries(path, {INFO: entries[INFO]})[INFO]))
        places.append({name: place for name, place in entries.items() if name != INFO})
        sizes.append(sum(size for _, size in places[-1].values()))
    return Part(
        path,
        float(summary["seconds"]),
        tuple(clips),
        tuple(sizes),
        tuple(record_of(Refusal, one) for one in summary["refusals"]),
        tuple(
            Example(float(one["time"]), str(one["reason"]), images[f"{number:02d}.{EXAMPLE}"])
            for number, one in enumerate(summary["examples"])
        ),
        tuple(places),
    )


def load_entries(path: Path, places: Mapping[str, tuple[int, int]]) -> dict[str, bytes]:
    """Name -> bytes of entries whose (offset, size) in the file is known."""
    with open(path, "rb") as file:
        found = {}
        for name, (offset, size) in places.items():
            file.seek(offset)
            found[name] = file.read(size)
            if len(found[name]) != size:
                raise ValueError(f"{name} is cut off")
    return found


def loader(part: Part, number: int):
    """A function that loads the entries of one clip."""
    return partial(part.load, number)
