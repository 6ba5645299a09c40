"""What a person sees of long work: one bar per stage on a terminal, a few plain lines in a log."""

from __future__ import annotations

import time
from typing import Any, TextIO

from ..progress import Progress

LINES_PER_STAGE = 4  # of a log: one at every quarter


class Console:
    """Writes to `stream` (stderr): the results of a command go to stdout, so that they can be piped."""

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._terminal = stream.isatty()
        self._open: _Stage | None = None

    def stage(self, name: str) -> Progress:
        """Begin a stage; the progress callable that it returns draws it. The stage before is closed."""
        self.close()
        self._open = _Bar(name, self._stream) if self._terminal else _Lines(name, self._stream)
        return self._open

    def note(self, text: str) -> None:
        """One line for the person, between the stages."""
        self.close()
        print(text, file=self._stream, flush=True)

    def above(self, text: str, stream: TextIO) -> None:
        """One line to any stream while a stage goes on: above its bar where both are on the terminal."""
        if self._open is not None:
            self._open.clear()
        print(text, file=stream, flush=True)

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class _Stage:
    def __call__(self, done: int, total: int, preview: Any = None, /) -> None:
        raise NotImplementedError

    def clear(self) -> None:
        """Leave the line of the bar to somebody else; the next step draws it again."""

    def close(self) -> None:
        raise NotImplementedError


class _Bar(_Stage):
    def __init__(self, name: str, stream: TextIO):
        from tqdm import tqdm

        layout = "{desc} {percentage:3.0f}% |{bar:30}| {n_fmt}/{total_fmt} {elapsed}<{remaining}"
        self._bar = tqdm(desc=f"{name:<24}", total=1, file=stream, bar_format=layout, leave=True)

    def __call__(self, done: int, total: int, preview: Any = None, /) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def clear(self) -> None:
        self._bar.clear()

    def close(self) -> None:
        self._bar.refresh()
        self._bar.close()


class _Lines(_Stage):
    def __init__(self, name: str, stream: TextIO):
        self._name, self._stream, self._quarter, self._start = name, stream, 0, time.monotonic()

    def __call__(self, done: int, total: int, preview: Any = None, /) -> None:
        quarter = LINES_PER_STAGE * done // max(total, 1)
        if quarter > self._quarter:
            self._quarter = quarter
            seconds = time.monotonic() - self._start
            print(f"{self._name}: {done}/{total} ({seconds:.1f} s)", file=self._stream, flush=True)

    def close(self) -> None: ...
