"""Remarks about an input that was used although something in it is odd."""

from __future__ import annotations

from collections.abc import Callable

Note = Callable[[str], None]
"""Takes one remark, without capital letter and full stop; hosts show it beside the result."""


def unnoted(text: str, /) -> None:
    """A `Note` that drops its remarks."""


def sentence(note: str) -> str:
    """A remark, without capital letter and full stop, as a sentence."""
    return f"{note[0].upper()}{note[1:]}."
