"""A console for commands that tests call."""

from __future__ import annotations


class Quiet:
    """A console that shows nothing."""

    def stage(self, _name: str):
        return lambda *_: None

    def note(self, _text: str) -> None: ...

    def close(self) -> None: ...
