"""The report of a prepared data set: what was kept, what was left out and why, and how it looks."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...base.atomic_files import atomic_write
from ...media.contact_sheet import contact_sheet
from ...media.images import save_image
from ..dataset.index import DatasetIndex
from .examples import SIDE, decoded
from .faults import FRAME_REASONS
from .jobs import FILE_REASONS
from .parts import Part
from .settings import ClipSettings
from .split import Split
from .stretches import REASONS as STRETCH_REASONS

MEANINGS = {**FILE_REASONS, **FRAME_REASONS, **STRETCH_REASONS}
FILES = ("report.md", "report.json", "rejected.jsonl", "examples.jpg")
SHOWN = 240  # pixels of an image on the contact sheet
SHOWN = 240  # pixels of an image on the contact sheet
COLUMNS, ROWS = 8, 8  # of the contact sheet, half of them for what was left out
LISTED = 50  # whole files that report.md lists; rejected.jsonl has all


@dataclass(frozen=True)
class ReasonCount:
    """How often a reason holds: whole files, stretches (or moments) of others, and their seconds."""

    files: int
    stretches: int
    seconds: float


@dataclass(frozen=True)
class Summary:
    """What a run came to; the content of report.json.

    Attributes:
        files: sources; used: those with at least one clip. seconds: of all that could be read.
        kept: seconds of all clips. reasons: name -> count, in the order of the documentation.
        speakers: name -> seconds kept.
    """

    files: int
    used: int
    seconds: float
    clips: int
    kept: float
    split: str
    split_why: str
    reasons: Mapping[str, ReasonCount]
    speakers: Mapping[str, float]


def summarize(parts: Sequence[Part], split: Split) -> Summary:
    """Count what the parts hold."""
    counts: dict[str, ReasonCount] = {}
    speakers: dict[str, float] = {}
    for part in parts:
        for refusal in part.refusals:
            old = counts.get(refusal.reason, ReasonCount(0, 0, 0.0))
            whole = refusal.reason in FILE_REASONS
            counts[refusal.reason] = ReasonCount(
                old.files + whole, old.stretches + (not whole), old.seconds + refusal.end - refusal.start
            )
        for clip in part.clips:
            speakers[clip.speaker] = speakers.get(clip.speaker, 0.0) + clip.seconds
    return Summary(
        files=len(parts),
        used=sum(bool(part.clips) for part in parts),
        seconds=round(sum(part.seconds for part in parts), 2),
        clips=sum(len(part.clips) for part in parts),
        kept=round(sum(speakers.values()), 2),
        split=split.kind,
        split_why=split.why,
        reasons={
            name: dataclasses.replace(counts[name], seconds=round(counts[name].seconds, 2))
            for name in MEANINGS
            if name in counts
        },
        speakers={name: round(speakers[name], 2) for name in sorted(speakers)},
    )


def write_report(
    folder: Path,
    labels: Sequence[str],
    parts: Sequence[Part],
    summary: Summary,
    index: DatasetIndex | None,
    settings: ClipSettings,
) -> None:
    """Write report.md, report.json, rejected.jsonl and, where there are images, examples.jpg.

    Args:
        labels: of the sources, in the order of `parts`. index: None where no clip was kept.
    """
    quality = dataclasses.asdict(settings.quality)
    totals = {"hash": index.hash, "windows": index.windows} if index is not None else {}
    values = {**dataclasses.asdict(summary), **totals, "quality": quality}
    _write(folder / "report.json", json.dumps(values, indent=1, ensure_ascii=False) + "\n")
    _write(folder / "rejected.jsonl", "".join(_rejected(labels, parts)))
    _write(folder / "report.md", _markdown(labels, parts, summary, index, settings))
    sheet = _sheet(labels, parts)
    if sheet is None:
        (folder / "examples.jpg").unlink(missing_ok=True)
    else:
        save_image(folder / "examples.jpg", sheet, record=None)


def _write(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _rejected(labels: Sequence[str], parts: Sequence[Part]) -> list[str]:
    """A line for each stretch: source, start, end, reason, detail."""
    return [
        json.dumps({"source": label, **dataclasses.asdict(refusal)}, ensure_ascii=False) + "\n"
        for label, part in zip(labels, parts, strict=True)
        for refusal in part.refusals
    ]


def _markdown(
    labels: Sequence[str],
    parts: Sequence[Part],
    summary: Summary,
    index: DatasetIndex | None,
    settings: ClipSettings,
) -> str:
    share = summary.kept / summary.seconds if summary.seconds else 0.0
    lines = [
        "# Prepared data",
        "",
        f"{summary.clips} clips, {_hours(summary.kept)} of {_hours(summary.seconds)} ({share:.0%}), from "
        f"{summary.used} of {summary.files} files, {len(summary.speakers)} speakers.",
        f"Split: {summary.split_why}.",
    ]
    if index is not None:
        lines += [
            f"Images {index.size} x {index.size}; Stage II features {index.speech}; "
            f"WavLM {'yes' if index.wavlm else 'no'}; {index.windows} windows of 3.2 s every 0.5 s.",
            f"Hash {index.hash}.",
        ]
    lines += [
        "",
        "## Left out",
        "",
        "| reason | meaning | files | stretches | time |",
        "|---|---|---|---|---|",
    ]
    for name, count in summary.reasons.items():
        lines.append(
            f"| {name} | {MEANINGS[name]} | {count.files} | {count.stretches} | {_hours(count.seconds)} |"
        )
    lines += ["", "rejected.jsonl lists every stretch.", "", "## Speakers", ""]
    lines += ["| speaker | train | validation |", "|---|---|---|"]
    for one in index.speakers if index is not None else ():
        times = (_hours(frames / 25) for frames in (one.train_frames, one.validation_frames))
        lines.append(f"| {_cell(one.name)} | {' | '.join(times)} |")
    whole = [
        (label, refusal)
        for label, part in zip(labels, parts, strict=True)
        for refusal in part.refusals
        if refusal.reason in FILE_REASONS
    ]
    lines += ["", "## Files that were not used at all", ""]
    for label, refusal in whole[:LISTED]:
        detail = f" ({refusal.detail})" if refusal.detail else ""
        lines.append(f"- {_cell(label)}: {MEANINGS[refusal.reason]}{detail}")
    if len(whole) > LISTED:
        lines.append(f"- and {len(whole) - LISTED} more")
    lines += ["", "## Thresholds", "", "| name | value |", "|---|---|"]
    lines += [f"| {name} | {value:g} |" for name, value in dataclasses.asdict(settings.quality).items()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _hours(seconds: float) -> str:
    """A time that is easily read: 1.2 h, 3.4 min, 5.6 s."""
    if seconds >= 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.1f} s"


def _sheet(labels: Sequence[str], parts: Sequence[Part]) -> NDArray[np.uint8] | None:
    """The upper half was kept, the lower half left out, each with its reason; None without images."""
    kept, refused = [], []
    for label, part in zip(labels, parts, strict=True):
        for example in part.examples:
            name = label.rpartition("/")[2] if len(label) > 24 else label
            name = name.rpartition(".")[0] or name
            text = f"{example.reason}, {name[:14]}" if example.reason else f"{name[:20]} {example.time:.1f} s"
            (refused if example.reason else kept).append((example, text))
    refused.sort(key=lambda one: one[0].reason)
    half = COLUMNS * ROWS // 2
    chosen = [_spread(kept, half), _spread(refused, half)]
    if not any(chosen):
        return None
    blank = np.full((SIDE, SIDE, 3), 40, np.uint8)
    images, texts = [], []
    for group in chosen:
        filling = -len(group) % COLUMNS
        images += [decoded(example) for example, _ in group] + [blank] * filling
        texts += [text for _, text in group] + [""] * filling
    return contact_sheet(np.stack(images), COLUMNS, -(-len(images) // COLUMNS), SHOWN, labels=texts)


def _spread(entries: list, count: int) -> list:
    """At most `count` of the entries, evenly from first to last."""
    if len(entries) <= count:
        return entries
    return [entries[round(i)] for i in np.linspace(0, len(entries) - 1, count)]
