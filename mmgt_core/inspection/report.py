"""The report of `mmgt inspect`: what was found, what holds, and what nobody can know."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..marks.watermark.detect import Detection
from .content import IdState, compare_id, find_watermark
from .file_marks import FileMarks, read_marks
from .signature import Signature, check_signature

NOTHING = "No marks found. That does not mean that the file was not generated: marks can be removed."
LABELS = {"1": "generated", "2": "possibly generated", "3": "suspected to be generated"}
IDS = {
    "same": "the content is the one that was marked",
    "other": "the content is another than the one that was marked: it was re-encoded or replaced",
    "not comparable": "the content cannot be compared: this format changes pixels when it is written",
}
STATES = {
    "trusted": "valid; the signer is trusted",
    "valid": "valid: the file is unchanged since it was signed; nothing vouches for the signer's name",
    "invalid": "INVALID: the file or its manifest was changed after signing",
    "unreadable": "there is data of C2PA that cannot be read",
    "not checked": "there is a manifest that was not checked; run: pip install 'mmgt[c2pa]'",
}


@dataclass(frozen=True)
class Report:
    """What a file carries.

    Attributes:
        marks: what is written in it, unchecked.
        content: whether the id in marks of ours fits the content; None without such marks.
        signature: the C2PA manifest; None without one.
        watermark: the search for it; None where the frames are too small or it was not looked for.
    """

    marks: FileMarks
    content: IdState | None
    signature: Signature | None
    watermark: Detection | None

    @property
    def marked(self) -> bool:
        """Whether anything says that the file is generated, of our making or not."""
        found = self.watermark is not None and self.watermark.found
        sources = [self.marks.source, self.signature.source if self.signature is not None else None]
        said = any((source or "").lower().endswith("algorithmicmedia") for source in sources)
        return found or said or str((self.marks.label or {}).get("Label", "")) in LABELS

    def values(self) -> dict[str, Any]:
        """The report for programs."""
        mark = self.watermark
        return {
            "marked": self.marked,
            "kind": self.marks.kind,
            "digital_source_type": self.marks.source,
            "creator_tool": self.marks.said.tool if self.marks.said is not None else None,
            "aigc": self.marks.label,
            "content_id": self.marks.content_id,
            "content": self.content,
            "consent": self.marks.said.consent if self.marks.said is not None else None,
            "details": self.marks.said.details if self.marks.said is not None else {},
            "c2pa": None if self.signature is None else asdict(self.signature),
            "watermark": None
            if mark is None
            else {"found": mark.found, "number": mark.number if mark.found else None,
                  "score": round(mark.score, 4), "needed": round(mark.needed, 4)},
        }  # fmt: skip

    def lines(self) -> list[str]:
        """The report for people, one finding a line."""
        found = [*self._said(), *self._checked()]
        if not self.marked:
            found.append(NOTHING)
        return [" ".join("".join(c if c.isprintable() else " " for c in line).split()) for line in found]

    def _said(self) -> list[str]:
        marks, lines = self.marks, list[str]()
        if marks.source is not None:
            lines.append(f"IPTC digital source type: {marks.source.rpartition('/')[2][:100]}")
        if marks.said is not None and marks.said.tool is not None:
            lines.append(f"creator tool: {marks.said.tool[:100]}")
        if marks.label is not None:
            label = str(marks.label.get("Label", ""))[:20]
            producer = str(marks.label.get("ContentProducer", ""))[:100]
            lines.append(
                f"AIGC label: {label} ({LABELS.get(label, 'unknown')}), producer {producer or 'not named'}"
            )
        if marks.said is not None and marks.said.ours:
            if marks.said.consent is not None:
                lines.append(f"consent reference: {marks.said.consent[:200]}")
            lines += [f"{name[:60]}: {value[:2000]}" for name, value in marks.said.details.items()]
        return lines

    def _checked(self) -> list[str]:
        lines = list[str]()
        if self.content is not None:
            lines.append(f"id of the content: {IDS[self.content]}")
        if self.signature is not None:
            lines += _signature_lines(self.signature)
        mark = self.watermark
        if mark is None:
            lines.append("watermark: not looked for, or the frames are too small")
        elif mark.found:
            number = "that cannot be read" if mark.number is None else str(mark.number)
            lines.append(
                f"watermark of ComfyUI-MMGT: found, number {number}, at {mark.scale:.0%} of the size"
            )
        else:
            lines.append("watermark of ComfyUI-MMGT: not found")
        return lines


def _signature_lines(signature: Signature) -> list[str]:
    lines = [f"C2PA signature: {STATES[signature.state]}"]
    if signature.failures:
        lines.append(f"C2PA checks that failed: {', '.join(signature.failures)[:300]}")
    if signature.signer is not None:
        test = " (a test certificate, which proves nothing about who signed)" if signature.test else ""
        lines.append(f"C2PA signer, as the certificate says: {signature.signer[:100]}{test}")
    if signature.source is not None:
        lines.append(f"C2PA digital source type: {signature.source.rpartition('/')[2][:100]}")
    if signature.ingredients:
        lines.append(f"C2PA ingredients: {', '.join(signature.ingredients)[:300]}")
    return lines


def inspect_file(path: Path, *, watermark: bool = True) -> Report:
    """Read and check the marks of an image or a video.

    Args:
        watermark: also look for the watermark, which decodes up to 250 frames.

    Raises InputError where there is no file, or it is neither an image that carries marks nor a video.
    """
    marks = read_marks(path)
    content = None if marks.content_id is None else compare_id(path, marks.kind, marks.content_id)
    signature = check_signature(path) if marks.c2pa else None
    return Report(marks, content, signature, find_watermark(path, marks.kind) if watermark else None)
