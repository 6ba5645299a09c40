"""The errors that people who use the software see: what went wrong, where, and how to fix it."""

from __future__ import annotations

from typing import Any

MODULE = "mmgt"
"""The module that error dialogs show with the class: without it, the pack's path on the server."""


class MMGTError(Exception):
    """Base class of all errors that are meant for people; its text is one or two readable sentences.

    Args:
        what: what is wrong, without a final full stop ("the recording holds no samples").
        where: the file, input or argument it was found in.
        fix: what the person can do about it, as an imperative ("give a WAV file of at least 0.1 s").
    """

    __module__ = MODULE

    def __init__(self, what: str, *, where: object = None, fix: str | None = None):
        self.what, self.where, self.fix = what, None if where is None else str(where), fix
        text = what if self.where is None else f"{self.where}: {what}"
        super().__init__(f"{text}." if fix is None else f"{text}; {fix}.")

    def __reduce__(self) -> tuple[Any, ...]:
        """The same error on the other side of a process boundary."""
        kind = next(cls.__name__ for cls in type(self).__mro__ if cls.__name__ in KINDS)
        return _again, (kind, self.what, self.where, self.fix)


class InputError(MMGTError):
    """A file or value given by the user cannot be used."""

    __module__ = MODULE


class CheckpointError(MMGTError):
    """A model file is not the model it should be: missing, extra or misshapen tensors, no configuration."""

    __module__ = MODULE


class DependencyError(MMGTError):
    """An optional library that this function needs is not installed."""

    __module__ = MODULE


KINDS = {kind.__name__: kind for kind in (MMGTError, InputError, CheckpointError, DependencyError)}


def _again(kind: str, what: str, where: str | None, fix: str | None) -> MMGTError:
    """By name: the classes' module is the one that dialogs show, from which nothing can be imported."""
    return KINDS[kind](what, where=where, fix=fix)
