"""What the doctor found, and the report of it as Markdown and JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..base.atomic_files import atomic_write

Verdict = Literal["ok", "look", "fault", ""]
"""ok: as it should be; look: may be a fault; fault: wrong; empty: a fact without a right value."""
MARKS: dict[Verdict, str] = {"ok": "ok", "look": "**look**", "fault": "**FAULT**", "": ""}


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        section, name: where it stands.
        value: in words, with its unit. It holds no folder and no name of a person.
        verdict: see `Verdict`.
        remark: what the value should be, or what to do.
    """

    section: str
    name: str
    value: str
    verdict: Verdict = ""
    remark: str = ""


def worst(findings: Sequence[Finding]) -> Verdict:
    """The worst verdict of all."""
    for verdict in ("fault", "look"):
        if any(finding.verdict == verdict for finding in findings):
            return verdict
    return "ok"


def as_markdown(findings: Sequence[Finding]) -> str:
    """A table for each section, in the order in which sections first appear."""
    faults = sum(f.verdict == "fault" for f in findings)
    looks = sum(f.verdict == "look" for f in findings)
    lines = ["# mmgt doctor", "", f"{faults} faults, {looks} points to look at.", ""]
    for section in dict.fromkeys(finding.section for finding in findings):
        lines += [f"## {section}", "", "| | | | |", "|---|---|---|---|"]
        lines += [
            f"| {f.name} | {f.value} | {MARKS[f.verdict]} | {f.remark} |"
            for f in findings
            if f.section == section
        ]
        lines.append("")
    return "\n".join(lines)


def write_report(findings: Sequence[Finding], folder: Path) -> tuple[Path, Path]:
    """Write `doctor.md` and `doctor.json` into the folder; returns their paths."""
    texts = {
        "doctor.md": as_markdown(findings),
        "doctor.json": json.dumps([dataclasses.asdict(f) for f in findings], indent=2) + "\n",
    }
    paths = []
    for name, text in texts.items():
        with atomic_write(folder / name) as temporary:
            Path(temporary).write_text(text, encoding="utf-8")
        paths.append(folder / name)
    return paths[0], paths[1]
