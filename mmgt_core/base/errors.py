"""The errors that people who use the software see: what went wrong, where, and how to mend it."""

from __future__ import annotations


class MMGTError(Exception):
    """Base of all errors raised at public doors; its text is one readable sentence or two.

    Args:
        what: what is wrong, without a final full stop ("the recording holds no samples").
        where: the file, input or argument it was found in.
        fix: what the person can do about it, as an imperative ("give a WAV file of at least 0.1 s").
    """

    def __init__(self, what: str, *, where: object = None, fix: str | None = None):
        self.what, self.where, self.fix = what, None if where is None else str(where), fix
        text = what if self.where is None else f"{self.where}: {what}"
        super().__init__(f"{text}." if fix is None else f"{text}; {fix}.")


class InputError(MMGTError):
    """A file or value that a person handed in cannot be used."""


class CheckpointError(MMGTError):
    """A model file is not the model it should be: missing, extra or misshapen tensors, no configuration."""


class DependencyError(MMGTError):
    """An optional library that this function needs is not installed."""
