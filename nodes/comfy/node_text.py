"""A sentence shown on the node that runs: warnings, costs, and what a person should know."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Any

from comfy_execution.utils import get_executing_context

log = logging.getLogger(__name__)


def sentence(remark: str) -> str:
    """A remark of the engine, which begins small and has no full stop, as a sentence."""
    return f"{remark[0].upper()}{remark[1:]}."


def tell(*sentences: str) -> None:
    """Show the sentences on the running node, where a browser watches, and write them into the log."""
    if not sentences:
        return
    for text in sentences:
        log.info(text)
    # Where no server runs, nobody watches, and it would be heavy to import.
    prompt_server = getattr(sys.modules.get("server"), "PromptServer", None)
    context, running = get_executing_context(), getattr(prompt_server, "instance", None)
    if context is not None and running is not None:
        running.send_progress_text("\n".join(sentences), context.node_id)


def with_text(shown: Any, sentences: Sequence[str]) -> Any:
    """What a node shows (one of the host's UI objects, or None) and the sentences, which are told too."""
    if not sentences:
        return shown
    tell(*sentences)
    return {**(shown.as_dict() if shown is not None else {}), "text": list(sentences)}
