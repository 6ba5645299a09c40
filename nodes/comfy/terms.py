"""What videos must not be used for, shown on the first run of a node."""

from __future__ import annotations

from pathlib import Path

import folder_paths

from ...mmgt_core.base.terms import TERMS, first_time
from .node_text import show_message


def show_terms() -> None:
    """Show the terms on the running node, once for each user folder of the host."""
    if first_time(Path(folder_paths.get_user_directory()) / "mmgt"):
        show_message(TERMS)
