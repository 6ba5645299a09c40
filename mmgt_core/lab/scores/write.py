"""The files of an evaluation: eval.json, eval.md and plots."""

from __future__ import annotations

from pathlib import Path

from ...base.atomic_files import atomic_write
from .report import page
from .result import Evaluation

JSON_FILE, PAGE_FILE = "eval.json", "eval.md"


def write_results(folder: Path, evaluation: Evaluation) -> Path:
    """Write eval.json and eval.md, each whole or not at all; returns the page."""
    for name, text in ((JSON_FILE, evaluation.to_json()), (PAGE_FILE, page(evaluation))):
        with atomic_write(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return folder / PAGE_FILE
