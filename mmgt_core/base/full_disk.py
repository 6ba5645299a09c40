"""A full disk as one sentence that says what to do."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import InputError

FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
CONTINUES = "finished work is kept, and the same command continues from there"


def is_full(error: BaseException) -> bool:
    """Whether this error says that the disk, a quota or a limit on file sizes is exhausted."""
    return isinstance(error, OSError) and error.errno in FULL


@contextmanager
def explain_full_disk(where: object, lost: str = CONTINUES) -> Iterator[None]:
    """Turns the error of a full disk into an InputError; `lost` says what happened to the work."""
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise InputError(
            f"the disk is full ({error.strerror}); {lost}",
            where=where,
            fix="free some space and run it again",
        ) from error
