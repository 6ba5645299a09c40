"""Messages shown on the running node: warnings, memory cost and notes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from comfy_execution.utils import get_executing_context

from ...mmgt_core.base.notes import sentence as sentence

if TYPE_CHECKING:
    from comfy_api.latest import ui

log = logging.getLogger(__name__)


def show_message(*sentences: str) -> None:
    """Show the sentences on the running node, if a browser is connected, and log them."""
    if not sentences:
        return
    for text in sentences:
        log.info(text)
    # `server` is a heavy import, and only needed if a server is running already.
    prompt_server = getattr(sys.modules.get("server"), "PromptServer", None)
    context, running = get_executing_context(), getattr(prompt_server, "instance", None)
    if context is not None and running is not None:
        running.send_progress_text("\n".join(sentences), context.node_id)


def show_note(note: str) -> None:
    """Show one remark of `mmgt_core` on the running node."""
    show_message(sentence(note))


def with_text(
    preview: ui.PreviewVideo | None, sentences: Sequence[str]
) -> ui.PreviewVideo | dict[str, Any] | None:
    """The `ui` of a node: its preview and the sentences, which are also shown as messages."""
    if not sentences:
        return preview
    show_message(*sentences)
    return {**(preview.as_dict() if preview is not None else {}), "text": list(sentences)}
