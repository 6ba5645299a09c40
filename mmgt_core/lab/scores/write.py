"""The files of an evaluation: eval.json, eval.md and plots."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ...base.atomic_files import atomic_write
from .report import page
from .result import Evaluation

JSON_FILE, PAGE_FILE = "eval.json", "eval.md"


def write_results(folder: Path, evaluation: Evaluation, *, plots: bool = True) -> Path:
    """Write eval.json, eval.md and, where matplotlib is installed, plots, each whole or not at all.

    Args:
        plots: False leaves the plots out.

    Returns the page's path.
    """
    if plots and importlib.util.find_spec("matplotlib") is not None:
        from .plots import write_plots

        write_plots(folder, evaluation)
    for name, text in ((JSON_FILE, evaluation.to_json()), (PAGE_FILE, page(evaluation))):
        with atomic_write(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return folder / PAGE_FILE
